"""Prometheus' alert rules. A rule names its metrics in PromQL."""

from dataclasses import dataclass

from stack.grafana_panels import quantile


@dataclass(frozen=True, kw_only=True)
class Rule:
    """An alert rule: its condition, duration and message."""

    name: str
    when: str
    lasts: str
    severity: str
    says: str


LOST = "records of {{ $labels.topic }} were deleted before {{ $labels.group }} read them: foretick topics tail gaps"

WARNINGS = (
    Rule(
        name="ForetickDown", when="up == 0", lasts="2m", severity="critical", says="{{ $labels.job }} does not answer"
    ),
    Rule(
        name="ForetickLooping",
        when='foretick_condition{condition="looping"} == 1',
        lasts="0m",
        severity="critical",
        says="{{ $labels.component }} is restarted in a loop: foretick doctor",
    ),
    Rule(
        name="ForetickStuck",
        when='foretick_condition{condition=~"stuck|unknown"} == 1',
        lasts="2m",
        severity="critical",
        says="{{ $labels.component }} is {{ $labels.condition }}: foretick doctor",
    ),
    Rule(
        name="ForetickWaits",
        when='foretick_condition{condition="waiting", component!="trainer"} == 1',
        lasts="5m",
        severity="warning",
        says="{{ $labels.component }} waits and does not work: foretick doctor",
    ),
    Rule(
        name="ForetickBehind",
        when="sum by (job) (foretick_consumer_lag) > 1000",
        lasts="10m",
        severity="warning",
        says="{{ $labels.job }} lags",
    ),
    Rule(
        name="ForetickSlow",
        when=f"{quantile(0.95, 'foretick_latency_seconds', 'stage')} > 60",
        lasts="10m",
        severity="warning",
        says="{{ $labels.stage }} are more than a minute later than their ticks",
    ),
    Rule(
        name="ForetickDeadLetters",
        when="sum by (topic) (increase(foretick_dead_letters_total[10m])) > 0",
        lasts="0m",
        severity="warning",
        says="records on {{ $labels.topic }} could not be used: foretick topics tail dead-letters",
    ),
    Rule(
        name="ForetickLost",
        when="sum by (group, topic) (increase(foretick_lost_offsets_total[10m])) > 0",
        lasts="0m",
        severity="warning",
        says=LOST,
    ),
    Rule(
        name="ForetickSinkAway",
        when="foretick_sink_away > 0",
        lasts="1m",
        severity="warning",
        says="the {{ $labels.sink }} accepts no records: foretick doctor",
    ),
    Rule(
        name="ForetickCoverage",
        when="abs(foretick_coverage - 0.9) > 0.1 and foretick_scored_outcomes >= 400",
        lasts="1h",
        severity="warning",
        says="the 90 % interval of {{ $labels.model }} +{{ $labels.horizon }} has a coverage "
        "{{ $value }} away from 90 %",
    ),
    Rule(
        name="ForetickModelOld",
        when="foretick_model_serving_seconds > 60 * 86400",
        lasts="1h",
        severity="info",
        says="{{ $labels.model }} has served one version for two months",
    ),
    Rule(
        name="ForetickApiErrors",
        when='sum(rate(foretick_api_requests_total{status=~"5.."}[5m])) > 0.1',
        lasts="5m",
        severity="warning",
        says="the API has internal errors",
    ),
    Rule(
        name="ForetickVenueSilent",
        when="min by (venue) (foretick_live_trade_silence_seconds) > 300",
        lasts="1m",
        severity="warning",
        says="no trade of {{ $labels.venue }} for {{ $value | humanizeDuration }}: foretick live list",
    ),
    Rule(
        name="ForetickVenueReconnects",
        when="max by (venue) (increase(foretick_live_reconnects_total[10m])) > 5",
        lasts="0m",
        severity="warning",
        says="{{ $labels.venue }} loses its connection repeatedly: foretick live list",
    ),
    Rule(
        name="ForetickGap",
        when="sum by (venue, symbol) (increase(foretick_live_gaps_total[10m])) > 0",
        lasts="0m",
        severity="warning",
        says="trades of {{ $labels.symbol }} at {{ $labels.venue }} are lost: foretick topics tail gaps",
    ),
    Rule(
        name="ForetickVenueClock",
        when="abs(foretick_live_clock_skew_seconds) > 1",
        lasts="10m",
        severity="warning",
        says="the clock of {{ $labels.venue }} and ours are {{ $value }} s apart: is this machine's set by NTP?",
    ),
    Rule(
        name="ForetickMessagesFail",
        when='sum by (channel) (increase(foretick_alert_messages_total{result!="delivered"}[10m])) > 5',
        lasts="5m",
        severity="warning",
        says="alerts by {{ $labels.channel }} do not arrive: foretick alerts list",
    ),
    Rule(
        name="ForetickAlertsWait",
        when="foretick_alert_oldest_waiting_seconds > 600",
        lasts="5m",
        severity="warning",
        says="alerts have waited {{ $value | humanizeDuration }} for {{ $labels.subscriber }}: foretick alerts list",
    ),
    Rule(
        name="ForetickAlertsGivenUp",
        when='sum by (channel) (increase(foretick_alert_deliveries_total{result="given up"}[10m])) > 0',
        lasts="0m",
        severity="critical",
        says="alerts by {{ $labels.channel }} were given up: foretick alerts list",
    ),
)
