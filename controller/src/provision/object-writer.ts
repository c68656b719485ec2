/** Requests that make, change and delete what is provisioned. All of them reject with an ApiFailure. */
import { ApiFailure, type KubeApi } from "../api/contract.ts";
import { isRecord } from "../kube/field-path.ts";
import { MANAGER } from "./identity.ts";
import type { RawObject } from "./live-objects.ts";
import { keyOf, toObjectPath, type Manifest, type ManifestKey } from "./manifest.ts";

/** Who holds the number of replicas once it is nobody's in particular. */
const HANDOVER_MANAGER = "sallyport-replicas";

/** Requests for one provisioner. */
export class ObjectWriter {
  readonly #api: KubeApi;
  readonly #signal: AbortSignal;

  constructor(api: KubeApi, signal: AbortSignal) {
    this.#api = api;
    this.#signal = signal;
  }

  /** The object, or undefined where there is none. */
  async read(key: ManifestKey): Promise<RawObject | undefined> {
    try {
      return await this.#api.send({ method: "GET", path: toObjectPath(key), signal: this.#signal });
    } catch (error) {
      if (error instanceof ApiFailure && error.status === 404) return undefined;
      throw error;
    }
  }

  /** Makes the object what the manifest says, where it says something (server-side apply), and returns all of it. */
  async apply(manifest: Manifest): Promise<RawObject> {
    if (manifest.kind === "Deployment" && !hasReplicas(manifest)) await this.#releaseReplicas(manifest);
    return this.#patch(manifest, MANAGER);
  }

  /** Deletes the object with this uid, and leaves a later one of that name alone. */
  async delete(key: ManifestKey, uid: string): Promise<void> {
    const body = { kind: "DeleteOptions", apiVersion: "v1", preconditions: { uid }, propagationPolicy: "Background" };
    try {
      await this.#api.send({ method: "DELETE", path: toObjectPath(key), body, signal: this.#signal });
    } catch (error) {
      if (!(error instanceof ApiFailure) || (error.status !== 404 && error.status !== 409)) throw error;
    }
  }

  /**
   * A field that its only owner applies no longer falls back to its default: a Deployment of ten would have one replica until the new
   * autoscaler has a look. Somebody else is made its owner before.
   */
  async #releaseReplicas(manifest: Manifest): Promise<void> {
    const live = await this.read(keyOf(manifest));
    const spec = live === undefined ? undefined : live["spec"];
    if (live === undefined || !isRecord(spec) || !ownsReplicas(live)) return;
    const { apiVersion, kind, metadata } = manifest;
    const { name, namespace } = metadata;
    const body = { apiVersion, kind, metadata: { name, namespace }, spec: { replicas: spec["replicas"] } };
    await this.#patch(body, HANDOVER_MANAGER);
  }

  async #patch(
    body: { readonly kind: Manifest["kind"]; readonly metadata: { readonly name: string; readonly namespace: string } },
    fieldManager: string,
  ): Promise<RawObject> {
    const { kind, metadata } = body;
    return this.#api.send({
      method: "PATCH",
      path: toObjectPath({ kind, namespace: metadata.namespace, name: metadata.name }),
      query: { fieldManager, force: "true" },
      contentType: "application/apply-patch+yaml",
      body,
      signal: this.#signal,
    });
  }
}

function hasReplicas(manifest: Manifest): boolean {
  const spec = manifest["spec"];
  return isRecord(spec) && spec["replicas"] !== undefined;
}

/** Whether what we applied last has the number of replicas (`managedFields`). */
function ownsReplicas(live: RawObject): boolean {
  const metadata = live["metadata"];
  const entries: unknown = isRecord(metadata) ? metadata["managedFields"] : undefined;
  return (Array.isArray(entries) ? entries : []).some((entry: unknown) => {
    if (!isRecord(entry) || entry["manager"] !== MANAGER || entry["operation"] !== "Apply") return false;
    const fields = entry["fieldsV1"];
    const spec = isRecord(fields) ? fields["f:spec"] : undefined;
    return isRecord(spec) && spec["f:replicas"] !== undefined;
  });
}
