// Bundles each widget, src/NAME/index.js, into a module and a style sheet of its own, and Plotly into one for them all.
//
// node build.mjs MODULES TARGET
//   MODULES  the folder node_modules into which npm put what package-lock.json says
//   TARGET   the folder that the bundles are put into; what lies there of widgets that are no more is removed

import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const [modules, target] = process.argv.slice(2).map((path) => resolve(path));
const sources = join(dirname(fileURLToPath(import.meta.url)), "src");
const { build } = createRequire(join(modules, "here.js"))("esbuild");

const COMMON = {
  bundle: true,
  format: "esm",
  minify: true,
  target: ["chrome123", "firefox120", "safari17.5"], // the first that know light-dark() of the style sheets
  nodePaths: [modules],
  legalComments: "eof", // the licences of what is bundled stay with it
  logLevel: "warning",
};

const widgets = readdirSync(sources).filter((name) => existsSync(join(sources, name, "index.js")));
const entries = Object.fromEntries(widgets.map((name) => [name, join(sources, name, "index.js")]));

mkdirSync(target, { recursive: true });
for (const old of readdirSync(target)) rmSync(join(target, old));
await build({ ...COMMON, entryPoints: entries, outdir: target });
await build({
  ...COMMON,
  // A script that puts itself onto the page becomes a module.
  stdin: { contents: 'export { default } from "plotly.js-basic-dist-min";', resolveDir: sources },
  outfile: join(target, "plotly-basic.js"),
});
// Last, so that one sees whether it is whole.
writeFileSync(join(target, "bundles.json"), `${JSON.stringify([...widgets.sort(), "plotly-basic"])}\n`);
