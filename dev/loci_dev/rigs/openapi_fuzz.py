"""Requests made from the OpenAPI document, valid and nearly valid, and the check of responses against it."""

# ruff: noqa: PLR2004 - shares of chance
from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from jsonschema import Draft202012Validator

DOCUMENT: Final = Path(__file__).parents[3] / "docs" / "openapi.json"
_TEXTS: Final = (
    *(
        "",
        " ",
        "otter",
        "ada",
        "Ada lives in Porto",
        "e\u0301",
        "\ufb01",
        "水獺",
        "\u202e",
        "\x00",
        "\ud800",
        "🦦" * 99,
    ),
    *("' OR 1=1 --", "%", "_", "\\", '"', "a.b", 'metadata."a.b"', "${x}", "../..", "x" * 9_000, "NaN", "-0"),
    *("2026-01-01T00:00:00Z", "2026-01-01", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59+14:00"),
)
_SCALARS: Final = (None, True, False, 0, -1, 1, 1.5, 2**63 - 1, 2**63, -(2**63), 10**400, 1e300, -0.0)
_PATHS: Final = (
    "user_id",
    "session_id",
    "created_at",
    "metadata.a",
    "metadata.a.b",
    "metadata.",
    'metadata."',
    "content",
)
_OPERATORS: Final = ("eq", "ne", "gt", "gte", "lt", "lte", "in", "nin", "contains", "$gt", "")
_DEPTH_MAX: Final = 5


@dataclass(frozen=True)
class Request:
    """A request, and the operation of the document that it is of."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes | None
    operation: Mapping[str, Any]


class OpenApiFuzz:
    """Makes requests for the operations under some prefixes, from a seed.

    Args:
        seed: of the random numbers.
        prefixes: of the paths.
        ids: values for parameters of paths, foreign ones among them.
    """

    def __init__(self, seed: int, prefixes: tuple[str, ...], ids: list[str]) -> None:
        self._document: dict[str, Any] = json.loads(DOCUMENT.read_text())
        self._chance = random.Random(seed)  # noqa: S311 - reproducible, no secret
        self._ids = ids
        self._operations = [
            (method.upper(), path, operation)
            for path, item in self._document["paths"].items()
            for method, operation in item.items()
            if path.startswith(prefixes) and method in {"get", "post", "put", "patch", "delete"}
        ]

    def requests(self, number: int) -> Iterator[Request]:
        """Make some requests."""
        for _ in range(number):
            yield self._request(*self._chance.choice(self._operations))

    def problems(self, request: Request, status: int, content: bytes) -> list[str]:
        """Return how a response differs from the document; empty when it does not."""
        described = request.operation["responses"].get(str(status))
        if described is None:
            return [f"status {status} is not described"]
        described = self._resolved(described)
        media = described.get("content", {}).get("application/json")
        if media is None or not media.get("schema"):
            return []
        schema = {**media["schema"], "components": self._document["components"]}
        return [error.message[:200] for error in Draft202012Validator(schema).iter_errors(json.loads(content))]

    def _request(self, method: str, template: str, operation: Mapping[str, Any]) -> Request:
        path = "/".join(self._segment(part) for part in template.split("/"))
        parameters = [self._resolved(p) for p in operation.get("parameters", ())]
        query = [
            (p["name"], str(self._value(p.get("schema", {}))))
            for p in parameters
            if p["in"] == "query" and self._some()
        ]
        if self._chance.random() < 0.05:
            query.append(("user", "ada"))
        headers = {"Idempotency-Key": self._chance.choice("abcdef")} if self._chance.random() < 0.1 else {}
        return Request(method, path, query, headers, self._body(operation), operation)

    def _segment(self, part: str) -> str:
        if not part.startswith("{"):
            return part
        return quote(self._chance.choice([*self._ids, *self._ids, *_TEXTS[1:20]]).encode("utf-8", "replace"), safe="")

    def _body(self, operation: Mapping[str, Any]) -> bytes | None:
        content = operation.get("requestBody", {}).get("content", {})
        if not content:
            return None
        schema = content.get("application/json", {}).get("schema", {})
        return json.dumps(self._value(schema)).encode()

    def _value(self, schema: Mapping[str, Any], depth: int = 0) -> Any:
        """A value of a schema; sometimes one that is not."""
        schema = self._resolved(schema)
        if self._chance.random() < 0.04 or depth > _DEPTH_MAX:
            return self._anything(depth)
        if variants := schema.get("anyOf") or schema.get("oneOf"):
            return self._value(self._chance.choice(variants), depth)
        if choices := schema.get("enum") or self._scalars(schema):
            return self._chance.choice(choices)
        match schema.get("type"):
            case "object":
                return self._object(schema, depth) if "properties" in schema else self._free_object(depth)
            case "array":
                return [self._value(schema.get("items", {}), depth + 1) for _ in range(self._chance.randrange(4))]
        return self._anything(depth)

    @staticmethod
    def _scalars(schema: Mapping[str, Any]) -> Sequence[Any]:
        match schema.get("type"):
            case "integer" | "number":
                return (schema.get("minimum", 1), schema.get("maximum", 10), 1, 0.5)
            case "boolean":
                return (True, False)
            case "string":
                return _TEXTS
        return ()

    def _free_object(self, depth: int) -> dict[str, Any]:
        return self._filter(depth) if self._some() else self._anything_object(depth)

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        required = schema.get("required", ())
        names = [name for name in schema["properties"] if name in required or self._chance.random() < 0.4]
        return {name: self._value(schema["properties"][name], depth + 1) for name in names}

    def _filter(self, depth: int) -> dict[str, Any]:
        if depth < _DEPTH_MAX and self._chance.random() < 0.3:
            name = self._chance.choice(("AND", "OR", "NOT"))
            parts = [self._filter(depth + 1) for _ in range(self._chance.randrange(3))]
            return {name: parts if name != "NOT" else self._filter(depth + 1)}
        path, operator = self._chance.choice(_PATHS), self._chance.choice(_OPERATORS)
        return {path: self._anything(depth) if self._some() else {operator: self._anything(depth)}}

    def _anything(self, depth: int) -> Any:
        kind = self._chance.randrange(6 if depth < _DEPTH_MAX else 4)
        if kind < 2:
            return self._chance.choice(_TEXTS)
        if kind < 4:
            return self._chance.choice(_SCALARS)
        return self._anything_object(depth) if self._some() else [self._anything(depth + 1) for _ in range(3)]

    def _anything_object(self, depth: int) -> dict[str, Any]:
        return {self._chance.choice(_TEXTS): self._anything(depth + 1) for _ in range(self._chance.randrange(3))}

    def _some(self) -> bool:
        return self._chance.random() < 0.5

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in schema:
            found: Any = self._document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            schema = found
        return schema
