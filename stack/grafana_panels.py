"""The rows of panels in Grafana. A panel names its metrics in PromQL."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Panel:
    """A panel: its title, its unit in Grafana's notation, and the query and legend of each line. `traces`: whether to
    show exemplars, each of which leads to its trace.
    """

    title: str
    unit: str
    lines: tuple[tuple[str, str], ...]
    traces: bool = False


def quantile(level: float, histogram: str, by: str) -> str:
    """Return the quantile of a histogram over five minutes."""
    return f"histogram_quantile({level}, sum by (le, {by}) (rate({histogram}_bucket[5m])))"


ROWS: dict[str, tuple[Panel, ...]] = {
    "The stream": (
        Panel("Records read", "rps", (("sum by (topic) (rate(foretick_records_in_total[1m]))", "{{topic}}"),)),
        Panel("Records published", "rps", (("sum by (topic) (rate(foretick_records_out_total[1m]))", "{{topic}}"),)),
        Panel(
            "Consumer lag, Kafka records",
            "short",
            (("sum by (job, topic) (foretick_consumer_lag)", "{{job}} {{topic}}"),),
        ),
        Panel(
            "Conditions",
            "short",
            (('foretick_condition{condition!="healthy"} == 1', "{{component}} {{condition}}"),),
        ),
        Panel("Dead letters", "short", (("sum by (topic) (increase(foretick_dead_letters_total[5m]))", "{{topic}}"),)),
    ),
    "Latency": (
        Panel(
            "From a tick's arrival, 95 %",
            "s",
            ((quantile(0.95, "foretick_latency_seconds", "stage"), "until {{stage}} are published"),),
            traces=True,
        ),
        Panel("One batch, 95 %", "s", ((quantile(0.95, "foretick_fold_seconds", "stage"), "{{stage}}"),)),
        Panel(
            "One transaction, 95 %",
            "s",
            ((quantile(0.95, "foretick_store_seconds", "topic"), "{{topic}}"),),
            traces=True,
        ),
    ),
    "The models": (
        Panel("Skill", "percentunit", (("foretick_pinball_skill", "{{model}} {{interval}} +{{horizon}}"),)),
        Panel("Coverage of the 90 % interval", "percentunit", (("foretick_coverage", "{{model}} +{{horizon}}"),)),
        Panel("Outcomes counted", "short", (("foretick_scored_outcomes", "{{model}} +{{horizon}}"),)),
        Panel("Time in service of the champions", "s", (("foretick_model_serving_seconds", "{{model}} {{version}}"),)),
    ),
    "The venues": (
        Panel(
            "Trades",
            "rps",
            (
                ("sum by (venue, symbol) (rate(foretick_live_trades_total[1m]))", "{{venue}} {{symbol}}"),
                (
                    "sum by (venue) (rate(foretick_live_repaired_trades_total[1m]))",
                    "{{venue}}, repaired",
                ),
            ),
        ),
        Panel(
            "Silent for",
            "s",
            (
                ("foretick_live_trade_silence_seconds", "{{venue}} {{symbol}}, trades"),
                ("foretick_live_message_silence_seconds", "{{venue}}, messages"),
            ),
        ),
        Panel(
            "Connections lost, gaps",
            "short",
            (
                ("max by (venue) (increase(foretick_live_reconnects_total[5m]))", "{{venue}}, connections lost"),
                ("sum by (venue, symbol) (increase(foretick_live_gaps_total[5m]))", "{{venue}} {{symbol}}, gaps"),
                ("sum by (venue) (foretick_live_waiting_trades)", "{{venue}}, trades waiting for missing ones"),
            ),
        ),
        Panel("A venue's clock ahead of ours", "s", (("foretick_live_clock_skew_seconds", "{{venue}}"),)),
    ),
    "Alerts": (
        Panel(
            "Made",
            "short",
            (
                (
                    "sum by (rule, severity) (increase(foretick_alerts_made_total[5m]))",
                    "{{rule}}, {{severity}}",
                ),
            ),
        ),
        Panel(
            "Messages sent",
            "short",
            (
                (
                    "sum by (channel, result) (increase(foretick_alert_messages_total[5m]))",
                    "{{channel}}, {{result}}",
                ),
            ),
        ),
        Panel("Alerts waiting", "short", (("foretick_alert_deliveries_waiting", "{{subscriber}}"),)),
        Panel(
            "From creation to delivery, 95 %",
            "s",
            ((quantile(0.95, "foretick_alert_delivery_seconds", "channel"), "{{channel}}"),),
        ),
        Panel(
            "Records evaluated by rules",
            "rps",
            (("sum by (kind) (rate(foretick_alert_records_total[1m]))", "{{kind}}"),),
        ),
    ),
    "The API": (
        Panel(
            "Requests",
            "reqps",
            (("sum by (path, status) (rate(foretick_api_requests_total[1m]))", "{{path}} {{status}}"),),
        ),
        Panel("Answers, 95 %", "s", ((quantile(0.95, "foretick_api_seconds", "path"), "{{path}}"),)),
        Panel("Streams", "short", (("sum by (topic) (foretick_api_streams)", "{{topic}}"),)),
        Panel("Streamed", "rps", (("sum by (topic) (rate(foretick_api_streamed_records_total[1m]))", "{{topic}}"),)),
    ),
    "The processes": (
        Panel("Up", "short", (("foretick_component", "{{component}}"),)),
        Panel("Memory", "bytes", (("process_resident_memory_bytes", "{{job}}"),)),
        Panel("Processors", "short", (("rate(process_cpu_seconds_total[1m])", "{{job}}"),)),
    ),
}
