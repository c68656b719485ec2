/** YAML that people review: maps and lists of plain values on one line, everything else in blocks. */
import { Document, isMap, isScalar, isSeq, type Node, visit } from "yaml";

/** Longest texts, roughly, that are kept on one line. */
const MOST_WIDTH = { map: 300, list: 100 };

/** The value as YAML. Equal values give equal text. */
export function toCompactYaml(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Map(_, node) {
      node.flow = node.items.every(({ value: leaf }) => isFlat(leaf)) && toWidth(node) <= MOST_WIDTH.map;
    },
    Seq(_, node) {
      node.flow = node.items.every(isPlain) && toWidth(node) <= MOST_WIDTH.list;
    },
  });
  return document.toString({ lineWidth: 0 });
}

/** Whether a value may be part of a line: plain, a list of plain values, or a map of those. */
function isFlat(node: unknown): boolean {
  if (isSeq(node)) return node.items.every(isPlain);
  return isMap(node) ? node.items.every(({ value }) => isPlain(value)) : isPlain(node);
}

function isPlain(node: unknown): boolean {
  return isScalar(node) && !(typeof node.value === "string" && node.value.includes("\n"));
}

function toWidth(node: Node): number {
  return JSON.stringify(node).length;
}
