// What the suites run as Sallyport's image must be what the Dockerfile says.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDockerfile } from "./dockerfile.ts";
import { missingSources, readRecipe } from "./image.ts";

const SAMPLE = `# syntax
FROM node AS build
COPY . .
FROM base
LABEL a="b" \\
      c="d"
COPY --from=build /src/dist/ /opt/
# between
COPY --from=build /src/LICENSE /src/NOTICE /opt/
USER 65532:65532
ENTRYPOINT ["/node", "/opt/a.mjs"]
`;

test("the last stage is read: files, user and entry point", () => {
  assert.deepEqual(parseDockerfile(SAMPLE), {
    copies: [
      { source: "dist", target: "/opt/" },
      { source: "LICENSE", target: "/opt/" },
      { source: "NOTICE", target: "/opt/" },
    ],
    entrypoint: ["/node", "/opt/a.mjs"],
    user: { uid: 65532, gid: 65532 },
  });
});

for (const [line, message] of [
  ["RUN rm -rf /", /RUN in the last stage/],
  ["COPY --from=build /etc/passwd /etc/", /not below/],
  ["COPY dist /opt/", /want --from=build/],
  ["USER root", /want numbers/],
  ["ENV A=b", /ENV in the last stage/],
] as const) {
  test(`an instruction that would make another image is refused: ${line}`, () => {
    assert.throws(() => parseDockerfile(SAMPLE + line), message);
  });
}

test("the repository's own Dockerfile runs as nobody, and every file that it copies is made by the build", () => {
  const recipe = readRecipe();
  assert.deepEqual(recipe.user, { uid: 65532, gid: 65532 });
  assert.deepEqual(missingSources(recipe), [], "`npm run build` makes dist/");
});
