// A PostgreSQL that goes away under a running Muster and comes back: what cannot be kept meanwhile is refused, so that
// its sender tries again, and nothing that was accepted is lost.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startMuster } from "./muster.mjs";
import { startPostgres } from "./postgres.mjs";

/** Asks again until it is so. */
async function eventually(what, holds) {
  const until = Date.now() + 30_000;
  while (!(await holds())) {
    assert.ok(Date.now() < until, `${what} never came`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test("a database that goes away and comes back costs no event that was accepted", { timeout: 120_000 }, async () => {
  const postgres = await startPostgres();
  const muster = await startMuster({ MUSTER_DATABASE_URL: postgres.url });
  try {
    const targets = [{ id: muster.owner.user_id, type: "user_reference" }];
    const { escalation_policy: policy } = await muster.post("/escalation_policies", {
      escalation_policy: { type: "escalation_policy", name: "Payments", escalation_rules: [{ escalation_delay_in_minutes: 30, targets }] },
    });
    const { service } = await muster.post("/services", {
      service: { type: "service", name: "card-gateway", escalation_policy: { id: policy.id, type: "escalation_policy_reference" } },
    });
    const { integration } = await muster.post(`/services/${service.id}/integrations`, {
      integration: { type: "events_api_v2_inbound_integration", name: "Monitoring" },
    });
    const report = async (terminal) => {
      const answer = await fetch(`${muster.base}/v2/enqueue`, {
        method: "POST",
        body: JSON.stringify({
          routing_key: integration.integration_key, event_action: "trigger", dedup_key: terminal,
          payload: { summary: `${terminal} is silent`, source: terminal, severity: "critical" },
        }),
      });
      return answer.status;
    };
    const ready = async () => (await fetch(`${muster.base}/health/ready`)).status;
    const titles = async () => (await muster.get("/incidents")).incidents.map((one) => one.title).sort();

    assert.equal(await report("till-1"), 202);
    await postgres.crash();
    assert.equal(await report("till-2"), 503);
    assert.equal(await ready(), 503);
    assert.equal((await fetch(`${muster.base}/health/live`)).status, 200);

    await postgres.start();
    await eventually("a ready Muster", async () => (await ready()) === 200);
    assert.equal(await report("till-3"), 202);
    const wanted = ["till-1 is silent", "till-3 is silent"];
    await eventually("what was accepted", async () => JSON.stringify(await titles()) === JSON.stringify(wanted));
  } finally {
    await muster.stop();
    await postgres.stop();
  }
});
