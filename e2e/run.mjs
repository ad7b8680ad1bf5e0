// Runs all tests that need the whole program, most of them in a browser. `node run.mjs` after `npm ci` and a build of the program.
import { run } from "node:test";
import { spec } from "node:test/reporters";

const files = ["loop.mjs", "behaviour.mjs", "plain.mjs", "story.mjs", "api.mjs", "pictures.mjs"].map((name) => new URL(name, import.meta.url).pathname);
// Pictures of every screen take as long as they take; each of their sets has a limit of its own.
const timeout = process.env.MUSTER_PICTURES ? Infinity : 900_000;
const tests = run({ files, concurrency: 1, timeout });
tests.on("test:fail", () => {
  process.exitCode = 1;
});
tests.compose(new spec()).pipe(process.stdout);
