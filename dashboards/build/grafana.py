"""Grafana's JSON: panels as functions, a dashboard as rows of panels that are laid out by themselves.

Written by hand and not with the Grafana Foundation SDK: what is needed of the schema is below, in fewer lines than its
builders would take to call, and tests/test_types.py checks the result against Grafana's own types.
"""

import dataclasses

GRID = 24
SCHEMA_VERSION = 39  # Grafana 10.3; newer ones migrate it when they load it
GREEN, YELLOW, RED, BLUE, GREY = "green", "yellow", "red", "blue", "text"


@dataclasses.dataclass
class Query:
    """One target. `legend` may name labels, "{{model}}". Instant: one answer for the range, not a line through it."""

    text: str
    legend: str = ""
    instant: bool = False
    table: bool = False


@dataclasses.dataclass
class Panel:
    kind: str
    title: str
    about: str  # shown behind the "i": what it is, and what to do about it
    queries: list
    width: int
    height: int
    unit: str = "short"
    options: dict = dataclasses.field(default_factory=dict)
    custom: dict = dataclasses.field(default_factory=dict)
    defaults: dict = dataclasses.field(default_factory=dict)
    overrides: list = dataclasses.field(default_factory=list)
    transformations: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Row:
    title: str
    panels: list
    collapsed: bool = False  # its queries run only when somebody opens it


@dataclasses.dataclass
class Dashboard:
    uid: str
    title: str
    about: str
    since: str  # the default time range begins here and ends now
    source: str  # type of the data source
    variables: list
    rows: list
    refresh: str = "1m"
    tags: tuple = ("weir", "llm")


# --- looks ---


def steps(*pairs):
    """Thresholds: the first colour has no lower bound, `steps(GREEN, (0.01, YELLOW))`."""
    first, *others = pairs
    return [{"color": first, "value": None}] + [{"color": color, "value": value} for value, color in others]


def thresholds(pairs):
    return {"mode": "absolute", "steps": steps(*pairs)}


def reduced(rows=False):
    """The value of each series is its last one; of an SQL answer each row may be one."""
    return {"calcs": ["lastNotNull"], "fields": "", "values": rows}


def legend(*calcs):
    mode = "table" if calcs else "list"
    return {"calcs": list(calcs), "displayMode": mode, "placement": "bottom", "showLegend": True}


def named(column, **properties):
    """Overrides for the column or series of that name; `custom_x` stands for `custom.x`."""
    values = [{"id": name.replace("custom_", "custom."), "value": value} for name, value in properties.items()]
    return {"matcher": {"id": "byName", "options": column}, "properties": values}


def linked(column, title, url):
    return named(column, links=[{"targetBlank": False, "title": title, "url": url}])


def painted(series, color):
    return named(series, color={"mode": "fixed", "fixedColor": color})


# --- kinds of panels ---


def stat(title, query, about, unit="short", levels=None, width=4, decimals=None, empty=None):
    """One number about the whole time range. Without levels it is just a number: colour means something to look at."""
    defaults = {"thresholds": thresholds(levels or [GREY])}
    if decimals is not None:
        defaults["decimals"] = decimals
    if empty:
        defaults["noValue"] = empty
    options = {
        "colorMode": "value" if levels else "none",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "reduceOptions": reduced(),
        "textMode": "value",
        "wideLayout": True,
    }
    return Panel("stat", title, about, [Query(query, instant=True)], width, 4, unit, options, defaults=defaults)


def gauge(title, query, about, unit, levels, width=6, height=8, low=0, high=1, empty=None):
    defaults = {"thresholds": thresholds(levels), "min": low, "max": high}
    if empty:
        defaults["noValue"] = empty
    options = {
        "orientation": "auto",
        "reduceOptions": reduced(),
        "showThresholdLabels": False,
        "showThresholdMarkers": True,
    }
    return Panel("gauge", title, about, [Query(query, instant=True)], width, height, unit, options, defaults=defaults)


def lines(title, queries, about, unit="short", width=12, height=8, stacked=False, levels=None, **more):
    """Queries are pairs of PromQL and legend."""
    custom = {
        "axisSoftMin": 0,
        "drawStyle": "line",
        "fillOpacity": 30 if stacked else 8,
        "gradientMode": "none" if stacked else "opacity",
        "lineInterpolation": "linear",
        "lineWidth": 1,
        "pointSize": 4,
        "showPoints": "auto",
        "spanNulls": False,
        "stacking": {"group": "A", "mode": "normal" if stacked else "none"},
    }
    defaults = {"color": {"mode": "palette-classic-by-name"}}
    if levels:
        defaults["thresholds"] = thresholds(levels)
        custom["thresholdsStyle"] = {"mode": "dashed"}
    options = {
        "legend": legend("mean", "max"),
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    made = [Query(text, name) for text, name in queries]
    overrides = more.get("overrides", [])
    return Panel("timeseries", title, about, made, width, height, unit, options, custom, defaults, overrides)


def days(title, query, about, unit="currencyUSD", width=12, height=9):
    """Stacked bars, one a day, from SQL that answers with time, metric, value."""
    custom = {
        "drawStyle": "bars",
        "fillOpacity": 80,
        "lineWidth": 0,
        "stacking": {"group": "A", "mode": "normal"},
        "barAlignment": 1,
    }
    options = {"legend": legend("sum"), "tooltip": {"mode": "multi", "sort": "desc"}}
    defaults = {"color": {"mode": "palette-classic-by-name"}}
    return Panel("timeseries", title, about, [Query(query)], width, height, unit, options, custom, defaults)


def bars(title, query, name, about, unit="short", width=8, height=8, levels=None, high=None, decimals=None):
    """Horizontal bars, one a series, in the order of the answer."""
    defaults = {"min": 0, "thresholds": thresholds(levels or [BLUE])}
    defaults["color"] = {"mode": "thresholds"} if levels else {"mode": "fixed", "fixedColor": BLUE}
    if high is not None:
        defaults["max"] = high
    if decimals is not None:
        defaults["decimals"] = decimals
    options = {
        "displayMode": "basic",
        "minVizHeight": 14,
        "minVizWidth": 8,
        "namePlacement": "auto",
        "orientation": "horizontal",
        "reduceOptions": reduced(),
        "showUnfilled": True,
        "sizing": "auto",
        "valueMode": "color",
    }
    return Panel(
        "bargauge", title, about, [Query(query, name, instant=True)], width, height, unit, options, defaults=defaults
    )


def pie(title, query, name, about, unit="short", width=8, height=8, rows=False):
    defaults = {"color": {"mode": "palette-classic-by-name"}}
    options = {
        "displayLabels": ["percent"],
        "legend": legend() | {"displayMode": "table", "placement": "right", "values": ["value", "percent"]},
        "pieType": "donut",
        "reduceOptions": reduced(rows),
        "tooltip": {"mode": "single", "sort": "none"},
    }
    return Panel(
        "piechart", title, about, [Query(query, name, instant=True)], width, height, unit, options, defaults=defaults
    )


def columns(title, queries, label, about, unit, width=12, height=8):
    """Vertical bars side by side: one group per value of the label, one bar per query (PromQL, name)."""
    custom = {"fillOpacity": 80, "gradientMode": "none", "lineWidth": 0}
    options = {
        "barWidth": 0.9,
        "groupWidth": 0.7,
        "legend": legend(),
        "orientation": "auto",
        "showValue": "auto",
        "stacking": "none",
        "tooltip": {"mode": "multi", "sort": "none"},
        "xField": label,
        "xTickLabelMaxLength": 24,
        "xTickLabelRotation": 0,
    }
    made = [Query(text, instant=True, table=True) for text, _ in queries]
    names = {label: label} | {f"Value #{letter(at)}": name for at, (_, name) in enumerate(queries)}
    defaults = {"color": {"mode": "palette-classic"}}
    return Panel("barchart", title, about, made, width, height, unit, options, custom, defaults, [], merged(names))


def states(title, query, name, about, mappings, width=12, height=8):
    """What state something was in, over time: `mappings` is value -> (text, colour)."""
    values = {
        str(value): {"color": color, "index": at, "text": text}
        for at, (value, (text, color)) in enumerate(mappings.items())
    }
    defaults = {"mappings": [{"type": "value", "options": values}], "color": {"mode": "thresholds"}}
    defaults["thresholds"] = thresholds([GREEN])
    custom = {"fillOpacity": 70, "lineWidth": 0}
    options = {
        "alignValue": "left",
        "legend": legend(),
        "mergeValues": True,
        "rowHeight": 0.9,
        "showValue": "never",
        "tooltip": {"mode": "single", "sort": "none"},
    }
    return Panel(
        "state-timeline", title, about, [Query(query, name)], width, height, "short", options, custom, defaults
    )


@dataclasses.dataclass
class Column:
    """Of a table: a query with the label it is joined by, a title, and how its cells look."""

    title: str
    query: str
    unit: str = "short"
    decimals: int = None
    levels: list = None
    as_gauge: bool = False


def table(title, labels, cells, about, order, width=24, height=9, empty=None, links=(), ascending=False):
    """One line per label set; `labels` is label -> title of its column, `order` the title that is sorted by."""
    names = dict(labels) | {f"Value #{letter(at)}": cell.title for at, cell in enumerate(cells)}
    queries = [Query(cell.query, instant=True, table=True) for cell in cells]
    made = grid(title, queries, cells, about, order, width, height, empty, ascending)
    made.transformations = merged(names)
    made.overrides += links
    return made


def report(title, query, cells, about, order, width=24, height=9):
    """A table whose columns are those of one SQL query; `cells` says how some of them look."""
    return grid(title, [Query(query, table=True)], cells, about, order, width, height)


def grid(title, queries, cells, about, order, width, height, empty=None, ascending=False):
    custom = {"align": "auto", "cellOptions": {"type": "auto"}, "filterable": True, "inspect": False}
    options = {
        "cellHeight": "sm",
        "showHeader": True,
        "sortBy": [{"displayName": order, "desc": not ascending}],
    }
    defaults = {"thresholds": thresholds([GREY])}
    if empty:
        defaults["noValue"] = empty
    overrides = [cell_look(cell) for cell in cells]
    return Panel("table", title, about, queries, width, height, "short", options, custom, defaults, overrides)


def cell_look(cell):
    properties = {"unit": cell.unit}
    if cell.decimals is not None:
        properties["decimals"] = cell.decimals
    if cell.levels:
        properties["thresholds"] = thresholds(cell.levels)
        properties["custom_cellOptions"] = {"type": "color-text"}
    if cell.as_gauge:
        properties |= {"min": 0, "max": 1, "custom_cellOptions": {"type": "gauge", "mode": "basic"}}
    return named(cell.title, **properties)


def merged(names):
    """Answers to instant queries side by side: equal labels share a line; columns are named and ordered as given."""
    order = {column: at for at, column in enumerate(names)}
    keep = {"include": {"names": list(names)}}
    return [
        {"id": "merge", "options": {}},
        {"id": "filterFieldsByName", "options": keep},
        {"id": "organize", "options": {"excludeByName": {}, "indexByName": order, "renameByName": names}},
    ]


# --- variables ---


def source_variable(kind):
    return {
        "description": "Where the numbers come from.",
        "hide": 0,
        "includeAll": False,
        "label": "Data source",
        "multi": False,
        "name": "datasource",
        "options": [],
        "query": kind,
        "refresh": 1,
        "regex": "",
        "skipUrlSync": False,
        "type": "datasource",
    }


def query_variable(name, label, about, query, kind, regex="", several=False):
    """Several: any number of values, all of them at first. Otherwise one."""
    asked = query
    if kind == "prometheus":
        asked = {"qryType": 1 if query.startswith("label_values") else 3, "query": query, "refId": "variable"}
    made = {
        "datasource": source(kind),
        "definition": query,
        "description": about,
        "hide": 0,
        "includeAll": several,
        "label": label,
        "multi": several,
        "name": name,
        "options": [],
        "query": asked,
        "refresh": 2,  # again when the time range changes
        "regex": regex,
        "skipUrlSync": False,
        "sort": 5,
        "type": "query",
    }
    if several:
        made["current"] = {"selected": True, "text": ["All"], "value": ["$__all"]}
    return made


# --- JSON ---


def source(kind):
    return {"type": kind, "uid": "${datasource}"}


def letter(at):
    return "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[at]


def target(kind, at, query):
    made = {"datasource": source(kind), "refId": letter(at)}
    if kind == "prometheus":
        made |= {
            "editorMode": "code",
            "expr": query.text,
            "format": "table" if query.table else "time_series",
            "instant": query.instant,
            "legendFormat": query.legend or "__auto",
            "range": not query.instant,
        }
    else:
        made |= {
            "editorMode": "code",
            "format": "table" if query.table or query.instant else "time_series",
            "rawQuery": True,
            "rawSql": query.text,
        }
    return made


def panel(kind, number, place, made):
    defaults = {"unit": made.unit} | made.defaults
    if made.custom:
        defaults["custom"] = made.custom
    done = {
        "datasource": source(kind),
        "description": made.about,
        "fieldConfig": {"defaults": defaults, "overrides": made.overrides},
        "gridPos": place,
        "id": number,
        "options": made.options,
        "targets": [target(kind, at, query) for at, query in enumerate(made.queries)],
        "title": made.title,
        "type": made.kind,
    }
    if made.transformations:
        done["transformations"] = made.transformations
    return done


def flow(items, y):
    """Panels with their places, from left to right, a new line when one is full; and where the next thing may begin.
    An item that is a list is a column of panels, one below the other."""
    placed, x, height = [], 0, 0
    for item in items:
        column = item if isinstance(item, list) else [item]
        width, below = column[0].width, y
        if x + width > GRID:
            x, y, height = 0, y + height, 0
            below = y
        for made in column:
            placed.append((made, {"h": made.height, "w": width, "x": x, "y": below}))
            below += made.height
        x, height = x + width, max(height, below - y)
    return placed, y + height


def laid_out(dashboard):
    number, y = 1, 0
    for row in dashboard.rows:
        place = {"h": 1, "w": GRID, "x": 0, "y": y}
        head = {
            "collapsed": row.collapsed,
            "gridPos": place,
            "id": number,
            "panels": [],
            "title": row.title,
            "type": "row",
        }
        placed, end = flow(row.panels, y + 1)
        body = [panel(dashboard.source, number + at, spot, made) for at, (made, spot) in enumerate(placed, 1)]
        number += 1 + len(body)
        if row.collapsed:
            head["panels"], y = body, y + 1
            yield head
        else:
            y = end
            yield head
            yield from body


def links(dashboard):
    """To the other dashboards of Weir, with the same time range and job."""
    return [
        {
            "asDropdown": False,
            "icon": "external link",
            "includeVars": dashboard.source == "prometheus",
            "keepTime": True,
            "tags": ["weir"],
            "targetBlank": False,
            "title": "Weir",
            "tooltip": "",
            "type": "dashboards",
            "url": "",
        }
    ]


def as_json(dashboard):
    """The dashboard as Grafana imports it. No id and no __inputs: so a file and a sidecar can both load it."""
    return {
        "annotations": {"list": []},
        "description": dashboard.about,
        "editable": True,
        "fiscalYearStartMonth": 0,
        "graphTooltip": 1,  # one crosshair through all panels
        "id": None,
        "links": links(dashboard),
        "panels": list(laid_out(dashboard)),
        "refresh": dashboard.refresh,
        "schemaVersion": SCHEMA_VERSION,
        "tags": list(dashboard.tags),
        "templating": {"list": [source_variable(dashboard.source), *dashboard.variables]},
        "time": {"from": dashboard.since, "to": "now"},
        "timepicker": {},
        "timezone": "browser" if dashboard.source == "prometheus" else "utc",
        "title": dashboard.title,
        "uid": dashboard.uid,
        "version": 1,
    }
