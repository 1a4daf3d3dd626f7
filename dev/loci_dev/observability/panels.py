"""Panels and dashboards as data, and how Grafana's own builders turn them into its JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement
from grafana_foundation_sdk.models.dashboard import DataSourceRef, VariableRefresh

_SOURCE: Final = DataSourceRef(type_val="prometheus", uid="${datasource}")
_HEIGHT: Final = 7

Unit = Literal["reqps", "s", "short", "percentunit", "none", "cps"]
"""Grafana's names: requests a second, seconds, a number, a share of 1, none, events a second."""


@dataclass(frozen=True)
class Query:
    """A PromQL expression; `legend` names each series by its labels, as `{{tenant}}`."""

    expr: str
    legend: str


@dataclass(frozen=True)
class Panel:
    """One chart, or with `stat` the present value in large.

    `width` is of 24 columns. `help` tells the reader what is normal and what is not.
    """

    title: str
    queries: Sequence[Query]
    unit: Unit
    help: str
    stat: bool = False
    width: int = 12


@dataclass(frozen=True)
class Variable:
    """A choice at the top of the dashboard, from the values of a label."""

    name: str
    label: str
    metric: str


@dataclass(frozen=True)
class Dashboard:
    """A dashboard; its file and its uid are `loci-<name>`."""

    name: str
    title: str
    description: str
    panels: Sequence[Panel]
    variables: Sequence[Variable] = field(default=())

    def rendered(self) -> str:
        """The dashboard as Grafana imports it."""
        builder = dashboard.Dashboard(self.title).uid(f"loci-{self.name}").description(self.description)
        builder = builder.tags(["loci"]).refresh("30s").time("now-1h", "now").timezone("browser").readonly()
        builder = builder.with_variable(dashboard.DatasourceVariable("datasource").label("Source").type("prometheus"))
        for variable in self.variables:
            builder = builder.with_variable(_variable(variable))
        for number, panel in enumerate(self.panels, 1):
            builder = builder.with_panel((_stat(panel) if panel.stat else _time_series(panel)).id(number))
        return json.dumps(builder.build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def _variable(variable: Variable) -> dashboard.QueryVariable:
    built = dashboard.QueryVariable(variable.name).label(variable.name.capitalize()).datasource(_SOURCE)
    return built.query(f"label_values({variable.metric}, {variable.label})").refresh(
        VariableRefresh.ON_TIME_RANGE_CHANGED
    )


def _targets(panel: Panel) -> list[prometheus.Dataquery]:
    return [
        prometheus.Dataquery().expr(query.expr).legend_format(query.legend).ref_id(chr(ord("A") + number))
        for number, query in enumerate(panel.queries)
    ]


def _time_series(panel: Panel) -> timeseries.Panel:
    legend = (
        common.VizLegendOptions()
        .show_legend(True)
        .display_mode(LegendDisplayMode.LIST)
        .placement(LegendPlacement.BOTTOM)
    )
    built = timeseries.Panel().title(panel.title).description(panel.help).unit(panel.unit).min(0).legend(legend)
    return built.datasource(_SOURCE).span(panel.width).height(_HEIGHT).targets(list(_targets(panel)))


def _stat(panel: Panel) -> stat.Panel:
    built = stat.Panel().title(panel.title).description(panel.help).unit(panel.unit)
    return built.datasource(_SOURCE).span(panel.width).height(_HEIGHT).targets(list(_targets(panel)))
