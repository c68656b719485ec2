/** What an upgrade of HTTP/1.1 and extended CONNECT (RFC 8441) are in each other's terms. */
import { reasonPhrase } from "../head/reason-phrase.ts";
import { ResponseHead } from "../head/response-head.ts";

/** Extended CONNECT asks for one protocol; names of registered ones are lower case. */
export function firstProtocol(upgrade: string): string {
  const comma = upgrade.indexOf(",");
  return (comma < 0 ? upgrade : upgrade.slice(0, comma)).toLowerCase();
}

/** The answer that opened a tunnel, as who asked for this protocol by Upgrade hears of it. */
export function toSwitch(answer: ResponseHead, protocol: string): ResponseHead {
  const head = new ResponseHead();
  const line = `HTTP/1.1 101 ${reasonPhrase(101)}\r\n`;
  head.text = line + answer.toFieldLines();
  head.fieldsAt = line.length;
  head.status = 101;
  head.upgrade = protocol;
  head.dated = answer.dated;
  return head;
}
