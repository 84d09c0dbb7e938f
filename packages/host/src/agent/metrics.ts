/** Counters in the text format of Prometheus (exposition format 0.0.4). */

/** Seconds; upper bounds of the buckets of request durations. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

type Labels = Readonly<Record<string, string>>;

export interface Gauge {
  readonly labels: Labels;
  readonly value: number;
}

const COUNTERS = {
  donjon_keeps_created_total: "Keeps handed to a caller.",
  donjon_keeps_removed_total: "Keeps removed.",
  donjon_keeps_lost_total: "Keeps that ended without anybody saying how.",
  donjon_tunnel_bytes_total: "Octets through sessions, by direction.",
  donjon_refusals_total: "Requests, and connections of Keeps, refused, by reason.",
} as const;
export type CounterName = keyof typeof COUNTERS;

export class Metrics {
  readonly #counters = new Map<string, Map<string, number>>();
  readonly #durations = new Map<string, { counts: number[]; sum: number; total: number }>();

  constructor() {
    for (const name of Object.keys(COUNTERS)) this.#counters.set(name, new Map());
  }

  count(name: CounterName, labels: Labels = {}, by = 1): void {
    const series = this.#counters.get(name)!;
    const key = formatLabels(labels);
    series.set(key, (series.get(key) ?? 0) + by);
  }

  /** `route` is a pattern, never a path: callers must not choose how many series there are. */
  observe(route: string, status: number, seconds: number): void {
    const key = `${route} ${status}`;
    let series = this.#durations.get(key);
    if (series === undefined) {
      series = { counts: BUCKETS.map(() => 0), sum: 0, total: 0 };
      this.#durations.set(key, series);
    }
    series.sum += seconds;
    series.total += 1;
    const bucket = BUCKETS.findIndex((bound) => seconds <= bound);
    if (bucket !== -1) series.counts[bucket]! += 1;
  }

  format(keeps: readonly Gauge[], sessions: number): string {
    const lines: string[] = [];
    const head = (name: string, type: string, help: string) =>
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    head("donjon_keeps", "gauge", "Keeps by state and backend.");
    for (const { labels, value } of keeps)
      lines.push(`donjon_keeps${formatLabels(labels)} ${value}`);
    head("donjon_sessions", "gauge", "Sessions open now.");
    lines.push(`donjon_sessions ${sessions}`);
    for (const [name, help] of Object.entries(COUNTERS)) {
      head(name, "counter", help);
      const series = this.#counters.get(name)!;
      if (series.size === 0) lines.push(`${name} 0`);
      for (const [labels, value] of series) lines.push(`${name}${labels} ${value}`);
    }
    this.#formatDurations(head, lines);
    return `${lines.join("\n")}\n`;
  }

  #formatDurations(
    head: (name: string, type: string, help: string) => void,
    lines: string[],
  ): void {
    const name = "donjon_request_duration_seconds";
    head(name, "histogram", "Time from a request's head to its answer.");
    for (const [key, { counts, sum, total }] of this.#durations) {
      const at = key.lastIndexOf(" ");
      const labels = { route: key.slice(0, at), status: key.slice(at + 1) };
      let seen = 0;
      for (const [index, bound] of BUCKETS.entries()) {
        seen += counts[index]!;
        lines.push(`${name}_bucket${formatLabels({ ...labels, le: String(bound) })} ${seen}`);
      }
      lines.push(`${name}_bucket${formatLabels({ ...labels, le: "+Inf" })} ${total}`);
      lines.push(`${name}_sum${formatLabels(labels)} ${sum}`);
      lines.push(`${name}_count${formatLabels(labels)} ${total}`);
    }
  }
}

function formatLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${quote(value)}`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function quote(value: string): string {
  return `"${value.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n")}"`;
}
