"""What Prometheus warns of. A rule names its metrics in PromQL."""

from dataclasses import dataclass

from stack.panels import quantile


@dataclass(frozen=True)
class Rule:
    """A warning: when it holds for so long, with what it says."""

    name: str
    when: str
    lasts: str
    severity: str
    says: str


WARNINGS = (
    Rule("ForetickDown", "up == 0", "2m", "critical", "{{ $labels.job }} does not answer"),
    Rule(
        "ForetickLooping",
        'foretick_condition{condition="looping"} == 1',
        "0m",
        "critical",
        "{{ $labels.component }} ends and is started again and again: foretick doctor",
    ),
    Rule(
        "ForetickStuck",
        'foretick_condition{condition=~"stuck|unknown"} == 1',
        "2m",
        "critical",
        "{{ $labels.component }} is {{ $labels.condition }}: foretick doctor",
    ),
    Rule(
        "ForetickWaits",
        'foretick_condition{condition="waiting", component!="trainer"} == 1',
        "5m",
        "warning",
        "{{ $labels.component }} waits and does not work: foretick doctor",
    ),
    Rule("ForetickBehind", "sum by (job) (foretick_consumer_lag) > 1000", "10m", "warning", "{{ $labels.job }} lags"),
    Rule(
        "ForetickSlow",
        f"{quantile(0.95, 'foretick_latency_seconds', 'stage')} > 60",
        "10m",
        "warning",
        "{{ $labels.stage }} come more than a minute after their ticks",
    ),
    Rule(
        "ForetickDeadLetters",
        "sum by (topic) (increase(foretick_dead_letters_total[10m])) > 0",
        "0m",
        "warning",
        "what came on {{ $labels.topic }} could not be used: foretick topics tail dead-letters",
    ),
    Rule(
        "ForetickLost",
        "sum by (group, topic) (increase(foretick_lost_offsets_total[10m])) > 0",
        "0m",
        "warning",
        "records of {{ $labels.topic }} were deleted before {{ $labels.group }} read them: foretick topics tail gaps",
    ),
    Rule(
        "ForetickSinkAway",
        "foretick_sink_away > 0",
        "1m",
        "warning",
        "the {{ $labels.sink }} takes nothing: foretick doctor",
    ),
    Rule(
        "ForetickCoverage",
        "abs(foretick_coverage - 0.9) > 0.1 and foretick_scored_outcomes >= 1000",
        "1h",
        "warning",
        "the 90 % interval of {{ $labels.model }} +{{ $labels.horizon }} holds {{ $value }} off what it says",
    ),
    Rule(
        "ForetickModelOld",
        "foretick_model_age_seconds > 60 * 86400",
        "1h",
        "info",
        "{{ $labels.model }} has served one version for two months",
    ),
    Rule(
        "ForetickApiErrors",
        'sum(rate(foretick_api_requests_total{status=~"5.."}[5m])) > 0.1',
        "5m",
        "warning",
        "the API answers with errors of its own",
    ),
    Rule(
        "ForetickVenueSilent",
        "min by (venue) (foretick_live_trade_silence_seconds) > 300",
        "1m",
        "warning",
        "no trade of {{ $labels.venue }} has come for {{ $value | humanizeDuration }}: foretick live list",
    ),
    Rule(
        "ForetickVenueReconnects",
        "max by (venue) (increase(foretick_live_reconnects_total[10m])) > 5",
        "0m",
        "warning",
        "{{ $labels.venue }} loses its connection again and again: foretick live list",
    ),
    Rule(
        "ForetickGap",
        "sum by (venue, symbol) (increase(foretick_live_gaps_total[10m])) > 0",
        "0m",
        "warning",
        "trades of {{ $labels.symbol }} at {{ $labels.venue }} are lost: foretick topics tail gaps",
    ),
    Rule(
        "ForetickVenueClock",
        "abs(foretick_live_clock_skew_seconds) > 1",
        "10m",
        "warning",
        "the clock of {{ $labels.venue }} and ours are {{ $value }} s apart: is this machine's set by NTP?",
    ),
    Rule(
        "ForetickMessagesFail",
        'sum by (channel) (increase(foretick_alert_messages_total{result!="delivered"}[10m])) > 5',
        "5m",
        "warning",
        "alerts by {{ $labels.channel }} do not arrive: foretick alerts list",
    ),
    Rule(
        "ForetickAlertsWait",
        "foretick_alert_oldest_waiting_seconds > 600",
        "5m",
        "warning",
        "alerts have waited {{ $value | humanizeDuration }} for {{ $labels.subscriber }}: foretick alerts list",
    ),
    Rule(
        "ForetickAlertsGivenUp",
        'sum by (channel) (increase(foretick_alert_deliveries_total{result="given up"}[10m])) > 0',
        "0m",
        "critical",
        "alerts by {{ $labels.channel }} were given up: foretick alerts list",
    ),
)
