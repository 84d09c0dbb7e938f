import assert from "node:assert/strict";
import { test } from "node:test";
import { JOURNAL_BYTES, JOURNAL_FOLLOWED_BYTES } from "@donjon/protocol/limits";
import { CHANNEL } from "@donjon/protocol/session/frame";
import fc from "fast-check";
import { Journal, type JournalReader } from "../../src/session/journal.ts";

const STREAMS = [CHANNEL.stdout, CHANNEL.stderr] as const;

/** All that the reader can see, as `channel:text`. */
function read(journal: Journal, reader: JournalReader): string[] {
  const seen: string[] = [];
  for (let entry = journal.at(reader); entry; entry = journal.at(reader)) {
    seen.push(`${entry.channel}:${Buffer.from(entry.bytes)}`);
    reader.next += 1;
  }
  return seen;
}

test("a replay has both streams in the order in which they were written", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom(...STREAMS), fc.string())), (writes) => {
      const journal = new Journal();
      for (const [channel, text] of writes) journal.append(channel, Buffer.from(text));
      const flat = (list: readonly string[]) =>
        list.flatMap((each) =>
          [...Buffer.from(each.slice(2))].map((octet) => `${each[0]}${octet}`),
        );
      const wanted = flat(writes.map(([channel, text]) => `${channel}:${text}`));
      assert.deepEqual(
        flat(
          read(
            journal,
            journal.open(() => {}),
          ),
        ).join(),
        wanted.join(),
      );
    }),
  );
});

test("a journal is bounded in octets, entries counted, and tells what it dropped", () => {
  const journal = new Journal();
  const writes = 200_000;
  for (let i = 0; i < writes; i++) journal.append(STREAMS[i % 2]!, Buffer.of(i));
  const reader = journal.open(() => {});
  const held = read(journal, reader).length;
  assert.ok(held > 0 && held * 256 <= JOURNAL_BYTES, `${held} entries`);
  assert.equal(journal.lost + held, writes);
});

test("what a reader is about to read is held for longer, but not for ever", () => {
  const journal = new Journal();
  let grown = 0;
  const reader = journal.open(() => {
    grown += 1;
  });
  const piece = () => Buffer.alloc(64 << 10);
  for (let i = 0; i < 100; i++) journal.append(CHANNEL.stdout, piece());
  assert.equal(grown, 100);
  assert.equal(journal.lost, 0);
  assert.equal(read(journal, reader).length, 100);
  for (let i = 0; i < (2 * JOURNAL_FOLLOWED_BYTES) >> 16; i++) {
    journal.append(CHANNEL.stdout, piece());
  }
  assert.equal(journal.at(reader), undefined);
  journal.close(reader);
  journal.append(CHANNEL.stdout, piece());
  const fresh = journal.open(() => {});
  assert.ok(read(journal, fresh).length <= JOURNAL_BYTES >> 16);
});
