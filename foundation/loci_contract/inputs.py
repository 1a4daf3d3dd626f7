"""Base of all request models: null means omitted, and an unknown field is an error that names it.

Client libraries send null for unset fields, so optional fields accept null for their default. A misspelt field would be
ignored silently, and an ignored `user_id` widens a request to all users; so it is rejected with a suggestion.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator
from typing import Any, ClassVar, Final, Self

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError

_SYNONYMS: Final = {
    "conversation_id": "session_id",
    "run_id": "session_id",
    "thread_id": "session_id",
    "assistant_id": "agent_id",
    "memory": "content",
    "text": "content",
    "expiration_date": "expires_at",
    "ttl": "expires_at",
    "page_size": "limit",
    "per_page": "limit",
    "next_cursor": "cursor",
    "page_token": "cursor",
    "sort": "order",
    "q": "query",
    "min_score": "threshold",
    "where": "filters",
    "user_id": "filters",
    "agent_id": "filters",
    "session_id": "filters",
    "metadata": "filters",
}
"""Names of other services or requests, and the field that they stand for where a request has it."""
_NULL: Final = {"type": "null"}
_ANNOTATIONS: Final = frozenset({"title", "description", "default"})


class Input(BaseModel):
    """A request's body or its query parameters."""

    model_config = ConfigDict(extra="forbid")

    _null_is_absent: ClassVar[bool] = True

    @model_validator(mode="wrap")
    @classmethod
    def _read(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(data, dict):
            return handler(data)
        known = _names(cls)
        present = {name: value for name, value in data.items() if not cls._is_absent(known.get(name), value)}
        strict = cls.model_config.get("extra") == "forbid"
        unknown = [name for name in present if name not in known] if strict else []
        problems: list[InitErrorDetails] = [_unknown(name, known) for name in unknown]
        problems += [_repeated(name, first) for name, first in _synonyms(present, known)]
        try:
            read = handler({name: value for name, value in present.items() if name not in unknown})
        except ValidationError as error:
            if not problems:
                raise
            problems += _details(error)
        if problems:
            raise ValidationError.from_exception_data(cls.__name__, problems)
        return read

    @classmethod
    def _is_absent(cls, field: str | None, value: object) -> bool:
        """Whether a value of a field (None for an unknown one) counts as left out."""
        optional = field is not None and not cls.model_fields[field].is_required()
        return value is None and optional and cls._null_is_absent

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Say of each optional field that it may be null."""
        document = handler(schema)
        model = handler.resolve_ref_schema(document)
        for name, field in model.get("properties", {}).items():
            if cls._null_is_absent and name not in model.get("required", ()):
                model["properties"][name] = _nullable(field)
        return document


class Patch(Input):
    """A change of some fields: null clears a field that may be empty, and is an error for one that may not."""

    _null_is_absent: ClassVar[bool] = False


def suggestion(name: str, known: Collection[str]) -> str:
    """A sentence with the name that was probably meant, where one is like it, and one with those that exist."""
    plain = {one.lower(): one for one in known}
    wanted = name.lower().replace("-", "_").lstrip("$")
    close = [_SYNONYMS[wanted]] if _SYNONYMS.get(wanted) in known else difflib.get_close_matches(wanted, plain, 1)
    return f"{f'Did you mean {plain[close[0]]}? ' if close else ''}Use {', '.join(known)}."


def _names(model: type[BaseModel]) -> dict[str, str]:
    """The names that a request may use, each with its field's."""
    return dict(_named(model))


def _named(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    for name, field in model.model_fields.items():
        alias = field.validation_alias
        if isinstance(alias, AliasChoices):
            yield from ((choice, name) for choice in alias.choices if isinstance(choice, str))
        else:
            yield (alias if isinstance(alias, str) else name), name


def _unknown(name: str, known: Collection[str]) -> InitErrorDetails:
    problem = PydanticCustomError("unknown_field", "is not known here. {known}", {"known": suggestion(name, known)})
    return InitErrorDetails(type=problem, loc=(name,), input=None)


def _synonyms(present: Collection[str], known: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Names whose field the request has by another name, too, with that one."""
    first: dict[str, str] = {}
    for name in present:
        if name in known and first.setdefault(known[name], name) != name:
            yield name, first[known[name]]


def _repeated(name: str, first: str) -> InitErrorDetails:
    problem = PydanticCustomError("repeated_field", "is the same field as {first}; send one of them.", {"first": first})
    return InitErrorDetails(type=problem, loc=(name,), input=None)


def _details(error: ValidationError) -> list[InitErrorDetails]:
    """The problems of a validation, to raise again beside others."""
    return [
        InitErrorDetails(
            type=PydanticCustomError(entry["type"], "{message}", {"message": entry["msg"]}),
            loc=entry["loc"],
            input=None,
        )
        for entry in error.errors(include_url=False, include_input=False)
    ]


def _nullable(field: JsonSchemaValue) -> JsonSchemaValue:
    choices = field.get("anyOf", [])
    if _NULL in choices:
        return field
    bare = {key: value for key, value in field.items() if key not in _ANNOTATIONS}
    told = {key: value for key, value in field.items() if key in _ANNOTATIONS}
    return {"anyOf": [*(choices or [bare]), _NULL], **told}
