// Writes web/src/api/schema.d.ts from infra/openapi.yaml; with --check it
// only compares, and fails when the committed file says something else.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const contract = join(here, "../../infra/openapi.yaml");
const target = join(here, "../src/api/schema.d.ts");

if (!existsSync(join(here, "node_modules/openapi-typescript"))) {
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  execFileSync(npm, ["ci", "--no-audit", "--no-fund", "--silent"], { cwd: here, stdio: "inherit" });
}
const { default: openapiTS, astToString } = await import("openapi-typescript");
const { pathToFileURL } = await import("node:url");

const head = "// Generated from infra/openapi.yaml by `npm run api-types`; do not edit.\n\n";
const text = head + astToString(await openapiTS(pathToFileURL(contract), { defaultNonNullable: false }));

if (process.argv.includes("--check")) {
  const committed = existsSync(target) ? readFileSync(target, "utf8") : "";
  if (committed !== text) {
    console.error(
      "src/api/schema.d.ts is not what infra/openapi.yaml says: run `npm run api-types` in web/.",
    );
    process.exit(1);
  }
  console.log("src/api/schema.d.ts agrees with infra/openapi.yaml");
} else {
  writeFileSync(target, text);
  console.log(`wrote ${target}`);
}
