/** Which message may follow which (README, session). */
import { DonjonError } from "@donjon/core/errors";

interface Rule {
  /** Another message that must have come before; `null`: this one comes first. */
  readonly after: string | null;
  readonly max: number;
  /** Nothing may follow. */
  readonly last?: boolean;
}

/** Stop requests of one session: Ctrl-C is pressed by hands. */
const MAX_STOPS = 1024;

const RULES: Readonly<Record<"client" | "keep", Readonly<Record<string, Rule>>>> = {
  client: {
    hello: { after: null, max: 1 },
    provision: { after: "hello", max: 1 },
    stop: { after: "provision", max: MAX_STOPS },
  },
  keep: {
    hello: { after: null, max: 1 },
    provisioned: { after: "hello", max: 1 },
    started: { after: "provisioned", max: 1 },
    trees: { after: "started", max: 1 },
    exit: { after: "started", max: 1, last: true },
    failure: { after: null, max: 1, last: true },
  },
};

/** A check to be called with the type of each message that `sender` sent; throws `session/protocol`. */
export function createMessageOrder(sender: "client" | "keep"): (type: string) => void {
  const rules = RULES[sender];
  const seen = new Map<string, number>();
  let over = false;
  return (type) => {
    const rule = rules[type]!;
    const count = (seen.get(type) ?? 0) + 1;
    seen.set(type, count);
    const early = rule.after !== null && !seen.has(rule.after);
    if (over || early || count > rule.max) {
      throw new DonjonError(
        "session/protocol",
        `the ${sender} sent ${type} ${over ? "after its last message" : early ? `before ${rule.after}` : "once too often"}`,
      );
    }
    over = rule.last === true;
  };
}
