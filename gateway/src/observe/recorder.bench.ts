import { bench } from "@sallyport/testkit/bench";
import { toRecord } from "../../test/workers/exchange-record.ts";
import { compileAccessFormat, type AccessFormat, type AccessRow } from "./access-format.ts";
import { LineEncoder } from "./access-line.ts";
import { WallClock } from "./access-time.ts";
import { Cells } from "./cells.ts";
import type { ExchangeRecord } from "./contract.ts";
import { CellRecorder } from "./recorder.ts";

const AGENTS = [
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36",
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0",
  "curl/8.5.0",
];

/** As heads come: text of the received bytes, of which values are slices. */
const HEADS = Array.from({ length: 1009 }, (_, index) => {
  const agent = AGENTS[index % AGENTS.length] ?? "";
  const head = Buffer.from(`GET /browse/item/${index}?q=${index * 7} HTTP/1.1\r\nuser-agent: ${agent}\r\n\r\n`);
  return head.toString("latin1");
});

function toRecords(vary: boolean): readonly ExchangeRecord[] {
  return HEADS.map((head, index) => {
    const agentAt = head.indexOf("user-agent: ") + "user-agent: ".length;
    const record = toRecord({
      requestHeaders: { "user-agent": head.slice(agentAt, head.indexOf("\r\n", agentAt)) },
      originalPath: head.slice(4, head.indexOf(" ", 4)),
      requestId: `5ad0c1ee-0000-8000-8000-${String(index).padStart(12, "0")}`,
      downstreamRemote: `10.0.0.${index % 9}:54321`,
      clientAddress: `10.0.0.${index % 9}`,
    });
    return vary ? record : toRecord({ requestId: record.requestId });
  });
}

const cells = new Cells({ stripes: 1, listeners: 4, routes: 0, clusters: 0 });
const recorder = new CellRecorder({ cells, worker: 0 });

function benchRecorder(records: readonly ExchangeRecord[]): void {
  bench("record in the cells", (iterations) => {
    for (let at = 0; at < iterations; at++) {
      const record = records[at % records.length];
      if (record !== undefined) recorder.exchange(record);
    }
    return cells;
  });
}

function openFormat(format: string | undefined): AccessFormat {
  const compiled = compileAccessFormat(format, { clock: new WallClock(), environment: {} });
  if (!compiled.ok) throw new Error(compiled.error);
  return compiled.value;
}

function benchRead(name: string, { read }: AccessFormat, records: readonly ExchangeRecord[]): void {
  bench(name, (iterations) => {
    let row: AccessRow = [];
    for (let at = 0; at < iterations; at++) {
      const record = records[at % records.length];
      if (record !== undefined) row = read(record);
    }
    return row;
  });
}

function benchEncode(name: string, format: AccessFormat, records: readonly ExchangeRecord[]): void {
  const rows = records.map((record) => format.read(record));
  const encoder = new LineEncoder(format);
  const buffer = Buffer.allocUnsafeSlow(65_536);
  bench(name, (iterations) => {
    let end = 0;
    for (let at = 0; at < iterations; at++) {
      const row = rows[at % rows.length] ?? [];
      const next = encoder.encode(row, buffer, end);
      end = next === -1 ? encoder.encode(row, buffer, 0) : next;
    }
    return end;
  });
}

const json = openFormat(undefined);
const text = openFormat("text");
benchRecorder(toRecords(true));
benchRead("read the values of a JSON line", json, toRecords(true));
benchRead("read the values of a text line", text, toRecords(true));
benchEncode("JSON line, values vary", json, toRecords(true));
benchEncode("JSON line, only the id varies", json, toRecords(false));
benchEncode("text line, values vary", text, toRecords(true));
