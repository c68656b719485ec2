/**
 * Why pods of a Deployment do not come up, as its conditions tell: these need no rights beyond those on Deployments themselves.
 * What the kubelet or the scheduler says of a pod is with the pod, which may be read only by whoever may read all pods.
 */
import { isRecord } from "../kube/field-path.ts";
import type { RawObject } from "./live-objects.ts";

/** Characters of a condition's message that are told: admission may say anything at any length. */
const LONGEST_MESSAGE = 500;

/** In the order of what they tell: the first names who refuses pods (a quota, admission), the second only that none came. */
const SIGNS = [
  { type: "ReplicaFailure", status: "True" },
  { type: "Progressing", status: "False" },
] as const;

/** `Reason: message`; undefined while pods come up as they should, or it is too early to tell (apps/v1 DeploymentCondition). */
export function findStall(deployment: RawObject): string | undefined {
  const conditions = readConditions(deployment);
  for (const { type, status } of SIGNS) {
    const found = conditions.find((each) => each["type"] === type && each["status"] === status);
    if (found !== undefined) return `${toText(found["reason"])}: ${toText(found["message"])}`;
  }
  return undefined;
}

/** Of another generation they say nothing about these pods. */
function readConditions({ metadata, status }: RawObject): readonly RawObject[] {
  if (!isRecord(metadata) || !isRecord(status) || !Array.isArray(status["conditions"])) return [];
  return status["observedGeneration"] === metadata["generation"] ? status["conditions"].filter(isRecord) : [];
}

function toText(value: unknown): string {
  const text = typeof value === "string" ? value.replaceAll(/\s+/g, " ").trim() : "";
  return text.length <= LONGEST_MESSAGE ? text : `${text.slice(0, LONGEST_MESSAGE)}...`;
}
