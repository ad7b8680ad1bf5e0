// Runs all tests that need the whole program, most of them in a browser. `node run.mjs` after `./prepare` and a build of the program.
import { once } from "node:events";
import { run } from "node:test";
import { spec } from "node:test/reporters";

/** These run once more on PostgreSQL; database.mjs and api.mjs start one themselves. */
const ON_BOTH = ["plain.mjs", "loop.mjs", "clients.mjs"];
const ON_ONE = ["behaviour.mjs", "story.mjs", "names.mjs", "database.mjs", "api.mjs", "pictures.mjs"];
// Pictures of every screen take as long as they take; each of their sets has a limit of its own.
const timeout = process.env.MUSTER_PICTURES ? Infinity : 900_000;

async function runOn(database, names) {
  console.log(`On ${database}:`);
  process.env.MUSTER_TEST_DATABASE = database;
  const files = names.map((name) => new URL(name, import.meta.url).pathname);
  const tests = run({ files, concurrency: 1, timeout });
  tests.on("test:fail", () => {
    process.exitCode = 1;
  });
  const report = tests.compose(new spec());
  report.pipe(process.stdout, { end: false });
  await once(report, "end");
}

await runOn("sqlite", [...ON_BOTH, ...ON_ONE]);
await runOn("postgresql", ON_BOTH);
