/** Reads PROXY headers as their specification is written, for comparison with what is sent. */

/** What a header says. */
export interface SeenProxyHeader {
  readonly from: string;
  readonly to: string;
  /** Type-length-values of version 2, in order: type, and value as latin1. */
  readonly fields: readonly (readonly [type: number, value: string])[];
  /** Bytes of the header. */
  readonly length: number;
}

/** Decodes either version; throws where it is neither. */
export function decodeProxyHeader(bytes: Buffer): SeenProxyHeader {
  return bytes[0] === 0x50 ? decodeText(bytes) : decodeBinary(bytes);
}

function decodeText(bytes: Buffer): SeenProxyHeader {
  const length = bytes.indexOf("\r\n") + 2;
  const line = bytes.toString("latin1", 0, length);
  if (length > 107) throw new Error("longer than version 1 allows");
  if (line === "PROXY UNKNOWN\r\n") return { from: "unknown", to: "unknown", fields: [], length };
  const match = /^PROXY (TCP4|TCP6) (\S+) (\S+) (\d+) (\d+)\r\n$/.exec(line);
  if (match === null) throw new Error(`no header: ${line}`);
  const [, family, from = "", to = "", fromPort = "", toPort = ""] = match;
  const show = (address: string, port: string): string => {
    if (address.includes(":") !== (family === "TCP6")) throw new Error(`${address} is not ${family ?? ""}`);
    return family === "TCP6" ? `[${address}]:${port}` : `${address}:${port}`;
  };
  return { from: show(from, fromPort), to: show(to, toPort), fields: [], length };
}

function decodeBinary(bytes: Buffer): SeenProxyHeader {
  const signature = "0d0a0d0a000d0a515549540a";
  if (bytes.toString("hex", 0, 12) !== signature) throw new Error("no signature");
  if (bytes.readUInt8(12) !== 0x21) throw new Error("not version 2, command PROXY");
  const family = bytes.readUInt8(13);
  const length = 16 + bytes.readUInt16BE(14);
  const size = { 0x00: 0, 0x11: 12, 0x21: 36 }[family];
  if (size === undefined) throw new Error(`family ${family}`);
  const fields = decodeFields(bytes.subarray(16 + size, length));
  if (size === 0) return { from: "unknown", to: "unknown", fields, length };
  const width = size === 12 ? 4 : 16;
  const show = (at: number, portAt: number): string => {
    const address = bytes.subarray(at, at + width);
    const port = bytes.readUInt16BE(portAt);
    if (width === 4) return `${[...address].join(".")}:${port}`;
    const groups = Array.from({ length: 8 }, (_, i) => address.readUInt16BE(i * 2).toString(16));
    return `[${new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1)}]:${port}`;
  };
  return { from: show(16, 16 + 2 * width), to: show(16 + width, 18 + 2 * width), fields, length };
}

/** Type, length and value, one behind the other. */
export function decodeFields(bytes: Buffer): [number, string][] {
  const fields: [number, string][] = [];
  let at = 0;
  while (at < bytes.length) {
    const end = at + 3 + bytes.readUInt16BE(at + 1);
    if (end > bytes.length) throw new Error("a field is cut");
    fields.push([bytes.readUInt8(at), bytes.toString("latin1", at + 3, end)]);
    at = end;
  }
  return fields;
}
