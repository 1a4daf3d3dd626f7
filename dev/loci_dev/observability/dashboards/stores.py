"""Stores, indexer and embedder: from a stored memory to one that is found."""

from __future__ import annotations

from loci_dev.observability.dashboards.queries import quantile
from loci_dev.observability.panels import Dashboard, Panel, Query


def dashboard() -> Dashboard:
    """Stores, indexer and embedder."""
    return Dashboard(
        "stores",
        "Loci / Stores and indexer",
        "From a stored memory to one that is found: outbox, embedder, cache.",
        [
            Panel(
                "Waiting for their index",
                [Query("topk(10, max by (tenant) (memory_outbox_entries))", "{{tenant}}")],
                "short",
                "Growing: the embedder or a vector index does not keep up.",
            ),
            Panel(
                "Dead letters and index drift",
                [
                    Query("topk(10, max by (tenant) (memory_dead_letters))", "{{tenant}}, dead letters"),
                    Query("topk(10, max by (tenant, store) (memory_index_drift))", "{{tenant}}, drift of {{store}}"),
                ],
                "short",
                "0, but after a store was lost: memories that could not be indexed, or differ between rows and index.",
            ),
            Panel(
                "Largest tenants",
                [Query("topk(10, max by (tenant) (memory_entities_count))", "{{tenant}}")],
                "short",
                "Memories stored.",
            ),
            Panel(
                "Nearest to their limit",
                [
                    Query(
                        "topk(10, max by (tenant) (memory_entities_count)"
                        " / max by (tenant) (loci_tenant_memories_limit))",
                        "{{tenant}}",
                    )
                ],
                "percentunit",
                "At 100 % writes are refused.",
            ),
            Panel(
                "Searches answered from the cache",
                [Query("topk(10, max by (tenant) (memory_cache_hit_ratio))", "{{tenant}}")],
                "percentunit",
                "Since each process started.",
            ),
            Panel(
                "Changes of the embedding model",
                [Query("bottomk(10, min by (tenant) (memory_model_change_ratio))", "{{tenant}}")],
                "percentunit",
                "Memories with vectors of the wanted model; at 0 for long: golden queries disagree, see the log.",
            ),
            Panel(
                "Write p99",
                [Query(quantile(0.99, "method", 'method=~"add|replace|update|delete"'), "{{method}}")],
                "s",
                "A rise of all of them: the volumes are slow.",
            ),
            Panel(
                "Texts embedded",
                [Query("sum by (priority) (rate(embedder_texts_total[5m]))", "{{priority}}")],
                "cps",
                "Queries are interactive, indexing is bulk.",
            ),
            Panel(
                "Tokens embedded",
                [Query("sum by (model) (rate(embedder_tokens_total[5m]))", "{{model}}")],
                "cps",
                "CPU time grows with tokens, not with texts.",
            ),
            Panel(
                "Embedder p99",
                [
                    Query(
                        "histogram_quantile(0.99, sum by (le, priority) "
                        "(rate(embedder_request_duration_seconds_bucket[5m])))",
                        "{{priority}}",
                    )
                ],
                "s",
                "Interactive texts wait for at most one batch of bulk texts.",
            ),
            Panel(
                "Texts answered from the embedder's cache",
                [Query("max by (model) (embedder_cache_hit_ratio)", "{{model}}")],
                "percentunit",
                "Since each process started.",
            ),
            Panel(
                "Texts that wait at the embedder",
                [Query("sum by (instance) (embedder_waiting_texts)", "{{instance}}")],
                "short",
                "Above some hundreds it soon refuses.",
            ),
            Panel(
                "Refused by the embedder",
                [Query("sum(rate(embedder_refused_total[5m]))", "refused")],
                "reqps",
                "Above 0: add replicas.",
            ),
        ],
    )
