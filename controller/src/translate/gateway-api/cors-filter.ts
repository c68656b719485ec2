/** CORS (GEP-1767). */
import { refuseEmpty, type TranslateFilter } from "./filter-outcome.ts";

/** CORS to a cors policy. */
export const translateCors: TranslateFilter = (_, { cors }, place) => {
  if (cors === undefined) return refuseEmpty(place, "cors");
  return {
    policy: {
      kind: "cors",
      allowOrigins: [...(cors.allowOrigins ?? [])],
      allowMethods: [...(cors.allowMethods ?? [])],
      allowHeaders: [...(cors.allowHeaders ?? [])],
      exposeHeaders: [...(cors.exposeHeaders ?? [])],
      allowCredentials: cors.allowCredentials ?? false,
      maxAgeSeconds: cors.maxAge,
    },
  };
};
