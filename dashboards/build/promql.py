"""The few shapes of PromQL that the panels are made of.

`$job` is in every selector, so that one Prometheus may hold several gateways. Windows: `$__range` for one number about
the whole time range, `$__rate_interval` for a line.
"""

JOB = 'job=~"$job"'
RANGE = "$__range"
WINDOW = "$__rate_interval"


def select(metric, *matchers):
    return f"{metric}{{{', '.join((JOB, *matchers))}}}"


def known(labels):
    """For gauges: of all that there is no room for there is one series, which says what the last of them was."""
    return f'{labels.split(",")[0]}!="other"'


def by(function, labels, vector):
    """An aggregation: labels are one string, "a, b"; none for the sum of all."""
    return f"{function} by ({labels}) ({vector})" if labels else f"{function}({vector})"


def per_second(metric, labels, *matchers):
    return by("sum", labels, f"rate({select(metric, *matchers)}[{WINDOW}])")


def increase(metric, labels, *matchers):
    """How much a counter rose in the time range."""
    return by("sum", labels, f"increase({select(metric, *matchers)}[{RANGE}])")


def quantile(q, metric, labels, *matchers, window=WINDOW):
    """Of a histogram; NaN, and so a gap, where nothing was observed."""
    keep = f"le, {labels}" if labels else "le"
    buckets = f"rate({select(metric + '_bucket', *matchers)}[{window}])"
    return f"histogram_quantile({q}, {by('sum', keep, buckets)})"


def or_zero(part, whole=None, label=None):
    """A counter that never counted has no series: nothing then means 0. `whole` tells for which labels; without it the
    zero is one line, called "none" where lines are told apart by a label."""
    if whole:
        return f"({part} or 0 * {whole})"
    if label:
        return f'({part} or on () label_replace(vector(0), "{label}", "none", "", ""))'
    return f"({part} or vector(0))"


def share(part, whole, labels=""):
    """part / whole, 0 where there is no part, nothing where there is no whole."""
    return f"{or_zero(part, whole if labels else None)} / ({whole} > 0)"


def top(count, metric, labels):
    """Lines of the `count` label sets that have most in the whole time range, not at each point of it."""
    whole = by("sum", labels, f"increase({select(metric)}[{RANGE}] @ end())")
    return f"{per_second(metric, labels)} and on ({labels}) topk({count}, {whole})"


def rename(vector, old, new):
    return f'label_replace({vector}, "{new}", "$1", "{old}", "(.*)")'


def called(vector, alias, identity):
    """With a label `name` for people: the alias, or where there is none the beginning of the id."""
    joined = f'label_join({vector}, "name", "/", "{alias}", "{identity}")'
    nameless = f'label_replace({joined}, "name", "$1", "name", "None/(.{{1,12}}).*")'
    return f'label_replace({nameless}, "name", "$1", "name", "(.+)/.+")'


def team_called(vector):
    return called(vector, "team_alias", "team")


def key_called(vector):
    return called(vector, "api_key_alias", "hashed_api_key")
