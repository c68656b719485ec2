# The image of both roles, controller and gateway: Node as package-lock.json pins it, and the bundle. The last stage has no
# shell and no package manager; conformance/gateway-api assembles its image from the same COPY lines.
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /src
COPY . .
RUN npm ci && npm run build

FROM gcr.io/distroless/cc-debian12:nonroot
LABEL org.opencontainers.image.title="Sallyport" \
      org.opencontainers.image.description="Edge gateway and service mesh for Gateway API, Ingress and Istio objects" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /src/node_modules/node/bin/node /usr/local/bin/node
COPY --from=build /src/dist/ /opt/sallyport/
COPY --from=build /src/LICENSE /src/NOTICE /opt/sallyport/
USER 65532:65532
WORKDIR /
HEALTHCHECK NONE
ENTRYPOINT ["/usr/local/bin/node", "/opt/sallyport/sallyport.mjs"]
