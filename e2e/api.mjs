// The API's document against the running program, on both databases: schemathesis sends what the document allows and
// what it does not, and every answer must be one that the document names, in the shape that it describes, never a 500.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { startMuster } from "./muster.mjs";
import { startPostgres } from "./postgres.mjs";

const ENVIRONMENT = new URL("../target/python", import.meta.url).pathname;
const REQUIREMENTS = new URL("requirements.txt", import.meta.url).pathname;
/** These could take away the very key that the others are asked with, so they come last. */
const TAKES_THE_KEY = ["DELETE /api_keys/{id}", "DELETE /users/{id}", "PUT /users/{id}"];

function prepare() {
  const program = `${ENVIRONMENT}/bin/schemathesis`;
  const run = (command, ...words) => {
    const done = spawnSync(command, words, { stdio: ["ignore", "ignore", "inherit"] });
    assert.equal(done.status, 0, `${command} ${words.join(" ")} failed`);
  };
  if (!existsSync(program)) {
    run("python3", "-m", "venv", ENVIRONMENT);
    run(`${ENVIRONMENT}/bin/pip`, "install", "--quiet", "--disable-pip-version-check", "--requirement", REQUIREMENTS);
  }
  return program;
}

/** Something of each kind, so that lists are not empty and identifiers exist. */
async function furnish(muster) {
  const me = (await muster.get("/users/me")).user;
  const rule = { escalation_delay_in_minutes: 30, targets: [{ id: me.id, type: "user_reference" }] };
  const policy = await muster.post("/escalation_policies", { escalation_policy: { type: "escalation_policy", name: "Payments", escalation_rules: [rule] } });
  const reference = { id: policy.escalation_policy.id, type: "escalation_policy_reference" };
  const { service } = await muster.post("/services", { service: { type: "service", name: "card-gateway", escalation_policy: reference } });
  await muster.post("/incidents", { incident: { type: "incident", title: "Card terminals are silent", service: { id: service.id, type: "service_reference" } } });
  await muster.post("/cases", { case: { subject: "Card reader offline", text: "I tried twice." } });
  await muster.post("/status_pages", { status_page: { name: "Larkfield", slug: "larkfield" } });
  await muster.post("/business_services", { business_service: { name: "Card payments" } });
  await muster.post("/locations", { location: { name: "Leeds", kind: "site" } });
  await muster.post("/accounts", { account: { name: "Hannah Whitcombe" } });
  await muster.post("/teams", { team: { type: "team", name: "Payments" } });
}

async function check(program, muster, phases, examples, choice) {
  const words = [
    "run", `${muster.base}/openapi.json`, "--header", `Authorization: Token token=${muster.owner.api_key}`,
    "--header", "From: maya@example.org", "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
    "--phases", phases, "--max-examples", String(examples), "--seed", "20261122", "--workers", "2",
    "--continue-on-failure", "--no-color", ...choice,
  ];
  const child = spawn(program, words, { stdio: ["ignore", "pipe", "pipe"] });
  let told = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => { told += chunk; });
  const status = await new Promise((resolve) => child.once("exit", resolve));
  assert.equal(status, 0, told);
  return told;
}

async function everyAnswer(settings, phases) {
  const program = prepare();
  const muster = await startMuster({ MUSTER_API_RATE_LIMIT: "off", ...settings });
  try {
    await furnish(muster);
    const byName = (option) => TAKES_THE_KEY.flatMap((name) => [option, name]);
    const told = await check(program, muster, phases, Number(process.env.MUSTER_API_EXAMPLES || 4), byName("--exclude-name"));
    assert.ok(!told.includes("Authentication failed"), told);
    await check(program, muster, phases, 10, byName("--include-name"));
  } finally {
    await muster.stop();
  }
}

test("every answer of the API is one that its document describes", { timeout: 900_000 }, () => everyAnswer({}, "coverage,fuzzing"));

// The edges of every field are tried on the other database, unless somebody asks for more examples.
test("the same on PostgreSQL", { timeout: 900_000 }, async () => {
  const postgres = await startPostgres();
  try {
    await everyAnswer({ MUSTER_DATABASE_URL: postgres.url }, process.env.MUSTER_API_EXAMPLES ? "coverage,fuzzing" : "fuzzing");
  } finally {
    await postgres.stop();
  }
});
