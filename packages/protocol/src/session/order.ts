/** Which message may follow which (README, session). */
import { DonjonError } from "@donjon/core/errors";

interface Rule {
  /** Messages of which one must have come before; none: this one may come first. */
  readonly after: readonly string[];
  readonly max: number;
  /** Nothing may follow. */
  readonly last?: boolean;
}

/** Stop requests of one session: Ctrl-C is pressed by hands. */
const MAX_STOPS = 1024;
/** Evidence asked for in one session, which may last for months. */
const MAX_ATTESTS = 1 << 20;

const RULES: Readonly<Record<"client" | "keep", Readonly<Record<string, Rule>>>> = {
  client: {
    hello: { after: [], max: 1 },
    attest: { after: ["hello"], max: MAX_ATTESTS },
    provision: { after: ["hello"], max: 1 },
    attach: { after: ["hello"], max: 1 },
    stop: { after: ["hello"], max: MAX_STOPS },
  },
  keep: {
    hello: { after: [], max: 1 },
    evidence: { after: ["hello"], max: MAX_ATTESTS },
    provisioned: { after: ["hello"], max: 1 },
    attached: { after: ["hello"], max: 1 },
    started: { after: ["provisioned"], max: 1 },
    trees: { after: ["started", "attached"], max: 1 },
    exit: { after: ["started", "attached"], max: 1, last: true },
    failure: { after: [], max: 1, last: true },
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
    const early = rule.after.length > 0 && !rule.after.some((each) => seen.has(each));
    if (over || early || count > rule.max) {
      throw new DonjonError(
        "session/protocol",
        `the ${sender} sent ${type} ${over ? "after its last message" : early ? `before ${rule.after.join(" or ")}` : "once too often"}`,
      );
    }
    over = rule.last === true;
  };
}
