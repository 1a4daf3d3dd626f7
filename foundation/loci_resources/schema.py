"""Convert a pydantic model to a structural schema, as CustomResourceDefinitions require."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel

_DROPPED: Final = frozenset({"title", "$defs", "const"})


def structural(model: type[BaseModel]) -> dict[str, Any]:
    """Schema of the model with references inlined, no null alternatives, and only defaults that can be applied."""
    document = model.model_json_schema(by_alias=True)
    schema: dict[str, Any] = _convert(document, document.get("$defs", {}))
    return schema


def _convert(node: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_convert(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    node = _resolve(node, definitions)
    converted = {
        key: _convert(value, definitions)
        for key, value in node.items()
        if key not in _DROPPED and not (key == "default" and value is None)
    }
    if isinstance(node.get("properties"), dict):
        converted["properties"] = {k: _convert(v, definitions) for k, v in node["properties"].items()}
    return converted


def _resolve(node: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Inline a reference and unwrap an optional field; keywords beside a reference override the referenced ones."""
    alternatives = [a for a in node.get("anyOf", []) if a.get("type") != "null"]
    own = {key: value for key, value in node.items() if key not in {"$ref", "anyOf"}}
    if len(alternatives) == 1:
        return {**_resolve(alternatives[0], definitions), **own}
    if "$ref" in node:
        return {**_resolve(definitions[node["$ref"].rsplit("/", 1)[1]], definitions), **own}
    return node
