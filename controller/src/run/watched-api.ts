/** A KubeApi that is looked at: requests and watches are counted, and who leads no more changes nothing any more. */
import { ApiFailure, type ApiRequest, type KubeApi } from "../api/contract.ts";

/** What was asked of the API server so far. */
export interface ApiCounts {
  /** Requests by `METHOD STATUS` (0: no answer). */
  readonly requests: ReadonlyMap<string, number>;
  /** Watches that were begun, by resource. */
  readonly watches: ReadonlyMap<string, number>;
}

/** Counts what goes through `api`. */
export function countRequests(api: KubeApi): { readonly api: KubeApi; readonly counts: ApiCounts } {
  const requests = new Map<string, number>();
  const watches = new Map<string, number>();
  const note = (request: ApiRequest, status: number): void => add(requests, `${request.method} ${status}`);
  return {
    counts: { requests, watches },
    api: {
      async send(request) {
        try {
          const answer = await api.send(request);
          note(request, 200);
          return answer;
        } catch (error) {
          if (request.signal?.aborted !== true) note(request, error instanceof ApiFailure ? error.status : 0);
          throw error;
        }
      },
      async watch(request, onEvent) {
        add(watches, request.path.slice(request.path.lastIndexOf("/") + 1));
        await api.watch(request, onEvent);
      },
    },
  };
}

/** Passes on what changes something only while `isLeader` says so. */
export function guardApi(api: KubeApi, isLeader: () => boolean): KubeApi {
  return {
    async send(request) {
      if (request.method !== "GET" && !isLeader())
        throw new ApiFailure("this replica leads no more, and leaves it to the one that does", { status: 0 });
      return api.send(request);
    },
    watch: async (request, onEvent) => api.watch(request, onEvent),
  };
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
