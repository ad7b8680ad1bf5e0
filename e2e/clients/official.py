#!/usr/bin/env python3
"""PagerDuty's official Python client, driven through its main flows against a Muster.

    official.py BASE KEY

BASE is where Muster is, KEY a personal or account-level key that may do everything. Ends with the number of checks, or with 1 at
the first thing that is wrong. What it makes has names of its own, so it can be run again against the same Muster.
"""
import sys
import time
import warnings
from datetime import datetime, timedelta, timezone

import pagerduty

warnings.simplefilter("error", UserWarning)  # the client warns where an answer lacks `more`
base, key = sys.argv[1].rstrip("/"), sys.argv[2]
client = pagerduty.RestApiV2Client(key, base_url=base)
run = f"oc{int(time.time())}"
done = 0


def check(truth, what):
    global done
    if not truth:
        sys.exit(f"wrong after {done} checks: {what}")
    done += 1


def refused(status, code, call, what):
    try:
        answer = call()
    except pagerduty.HttpError as error:
        body = error.response.json()["error"]
        check(error.response.status_code == status and body["code"] == code, f"{what}: {error.response.status_code} {body}")
        check(isinstance(body.get("errors", []), list) and all(isinstance(e, str) for e in body.get("errors", [])), f"{what}: errors {body}")
        return body
    sys.exit(f"wrong after {done} checks: {what} was accepted: {answer!r}")


def at(**delta):
    return (datetime.now(timezone.utc).replace(microsecond=0) + timedelta(**delta)).strftime("%Y-%m-%dT%H:%M:%SZ")


def ref(resource, kind=None):
    return {"id": resource["id"], "type": kind or resource["type"].removesuffix("_reference") + "_reference"}


def until(question, what, seconds=20):
    end = time.time() + seconds
    while time.time() < end:
        answer = question()
        if answer:
            check(True, what)
            return answer
        time.sleep(0.2)
    sys.exit(f"wrong after {done} checks: {what}: not within {seconds} s")


# Start-up
check(client.api_key_access in ("user", "account"), "kind of key")
check(isinstance(client.subdomain, str) and client.subdomain, "subdomain")
abilities = client.rget("/abilities")
check("teams" in abilities and all(isinstance(a, str) for a in abilities), "abilities")
check(client.account_has_ability("teams") is True, "an ability")
check([p["name"] for p in client.rget("/priorities")][:1] == ["P1"], "priorities")
check(client.list_all("vendors") is not None, "vendors")
bad = pagerduty.RestApiV2Client("x" * 20, base_url=base)
refused(401, 2006, lambda: bad.rget("/users"), "unknown key")
bearer = pagerduty.RestApiV2Client(key, base_url=base, auth_type="bearer")
check(bearer.rget("/abilities") == abilities, "Bearer")

# People
owner = next(u for u in client.iter_all("users") if u["role"] in ("owner", "admin"))
client.default_from = owner["email"]
client.headers["From"] = owner["email"]
people = [client.rpost("/users", json={"type": "user", "name": f"{run} {n}", "email": f"{run}-{n}@example.org", "role": "user",
                                   "time_zone": "Europe/Berlin", "job_title": "x"}) for n in ("ann", "bob")]
ann, bob = people
check(ann["type"] == "user" and ann["time_zone"] == "Europe/Berlin", "a user")
check(client.find("users", f"{run}-bob@example.org", attribute="email")["id"] == bob["id"], "find by e-mail")
check(client.find("users", f"{run} ANN")["id"] == ann["id"], "find by name, any case")
check(client.find("users", "nobody at all") is None, "find nobody")
refused(400, 2001, lambda: client.rpost("/users", json={"type": "user", "name": "x", "email": ann["email"]}), "address twice")
check(client.rput(ann, json={"type": "user", "job_title": "Lead"})["job_title"] == "Lead", "PUT by self")
check(client.rget(f"/users/{ann['id']}")["email"] == ann["email"], "PUT is partial")
method = client.rpost(f"/users/{ann['id']}/contact_methods", json={"type": "email_contact_method", "address": f"{run}2@example.org", "label": "two"})
check(client.rget(f"/users/{ann['id']}/contact_methods/{method['id']}")["address"] == f"{run}2@example.org", "contact method")
check(client.rput(f"/users/{ann['id']}/contact_methods/{method['id']}", json={**method, "label": "three"})["label"] == "three", "its label")
rule = client.rpost(f"/users/{ann['id']}/notification_rules", json={"type": "assignment_notification_rule", "start_delay_in_minutes": 3,
                "urgency": "high", "contact_method": {"id": method["id"], "type": "email_contact_method"}})
check(rule["start_delay_in_minutes"] == 3 and rule["contact_method"]["id"] == method["id"], "notification rule")
full = client.rget(f"/users/{ann['id']}", params={"include[]": ["contact_methods", "notification_rules", "teams"]})
check(method["id"] in [m["id"] for m in full["contact_methods"]] and "address" in full["contact_methods"][0], "include contact methods")
check(rule["id"] in [r["id"] for r in full["notification_rules"]] and "urgency" in full["notification_rules"][0], "include rules")
client.rdelete(f"/users/{ann['id']}/notification_rules/{rule['id']}")
client.rdelete(f"/users/{ann['id']}/contact_methods/{method['id']}")

# Pages
ids = [u["id"] for u in client.iter_all("users", page_size=1)]
check(len(ids) == len(set(ids)) == client.get_total("/users") >= 3, "iteration over pages of one")
check(set(client.dict_all("users", by="email")) >= {ann["email"], bob["email"]}, "dict_all")
totals = []
list(client.iter_all("users", total=True, item_hook=lambda o, n, t: totals.append(t)))
check(set(totals) == {len(ids)}, "total")
refused(400, 2001, lambda: client.rget("/users", params={"limit": 100, "offset": 9950}), "beyond 10,000")

# Teams
team = client.rpost("/teams", json={"type": "team", "name": f"{run} team", "description": "d"})
check(client.persist("teams", "name", {"type": "team", "name": f"{run} team", "description": "e"}, update=True)["description"] == "e", "persist")
check(client.rput(f"/teams/{team['id']}/users/{ann['id']}", json={"role": "manager"}) is None, "member")
client.rput(f"/teams/{team['id']}/users/{bob['id']}", json={"role": "responder"})
members = client.list_all(f"/teams/{team['id']}/members")
check({m["user"]["id"]: m["role"] for m in members} == {ann["id"]: "manager", bob["id"]: "responder"}, "members")

# Schedules
layer = {"name": "L", "start": at(days=-7), "rotation_virtual_start": at(days=-7), "rotation_turn_length_seconds": 86400,
         "users": [{"user": ref(ann)}, {"user": ref(bob)}]}
body = {"type": "schedule", "name": f"{run} schedule", "time_zone": "Europe/Berlin", "schedule_layers": [layer]}
preview = client.post("/schedules/preview", params={"since": at(), "until": at(days=4)}, json={"schedule": body}).json()["schedule"]
check(len(preview["final_schedule"]["rendered_schedule_entries"]) >= 4, "preview")
schedule = client.rpost("/schedules", json=body)
shown = client.rget(f"/schedules/{schedule['id']}", params={"since": at(), "until": at(days=4), "time_zone": "UTC"})
check(shown["final_schedule"]["rendered_coverage_percentage"] == 100.0, "coverage")
check(all(e["start"].endswith(("Z", "+00:00")) for e in shown["final_schedule"]["rendered_schedule_entries"]), "time zone of the answer")
overrides = client.rpost(f"/schedules/{schedule['id']}/overrides", json={"overrides": [{"start": at(days=2), "end": at(days=3), "user": ref(bob)}]})
check(overrides[0]["status"] == 201 and overrides[0]["override"]["user"]["id"] == bob["id"], "override")
listed = client.rget(f"/schedules/{schedule['id']}/overrides", params={"since": at(), "until": at(days=9)})
check([o["id"] for o in listed] == [overrides[0]["override"]["id"]], "overrides")
check(client.delete(f"/schedules/{schedule['id']}/overrides/{listed[0]['id']}").status_code == 204, "a future override goes")
kept = client.rget(f"/schedules/{schedule['id']}")["schedule_layers"]
changed = client.rput(f"/schedules/{schedule['id']}", json={**body, "name": f"{run} schedule 2", "schedule_layers": kept})
check([l["id"] for l in changed["schedule_layers"]] == [l["id"] for l in kept], "a layer sent back is kept")
check({u["id"] for u in client.rget(f"/schedules/{schedule['id']}/users", params={"since": at(), "until": at(days=4)})} == {ann["id"], bob["id"]}, "its people")

# Policies and services
policy = client.rpost("/escalation_policies", json={"type": "escalation_policy", "name": f"{run} policy", "num_loops": 1, "teams": [ref(team)],
    "escalation_rules": [{"escalation_delay_in_minutes": 30, "targets": [ref(schedule)]}, {"escalation_delay_in_minutes": 30, "targets": [ref(bob)]}]})
check([t["type"] for r in policy["escalation_rules"] for t in r["targets"]] == ["schedule_reference", "user_reference"], "targets")
refused(400, 2001, lambda: client.rdelete(f"/schedules/{schedule['id']}"), "a schedule in use")
calls = client.list_all("oncalls", params={"escalation_policy_ids[]": [policy["id"]], "include[]": ["users"], "earliest": "true"})
check({c["escalation_level"] for c in calls} == {1, 2} and all("email" in c["user"] for c in calls), "on call")
check(all((c["schedule"] is None) == (c["escalation_level"] == 2) for c in calls), "its schedule")
service = client.rpost("/services", json={"type": "service", "name": f"{run} service", "escalation_policy": ref(policy)})
check(service["status"] == "active" and service["auto_resolve_timeout"] is None, "a service")
refused(400, 2001, lambda: client.rpost("/services", json={"type": "service", "name": f"{run} service", "escalation_policy": ref(policy)}), "name taken")
integration = client.rpost(f"/services/{service['id']}/integrations", json={"type": "events_api_v2_inbound_integration", "name": "events"})
check(len(integration["integration_key"]) == 32, "integration key")
found = client.find("services", f"{run} service", params={"include[]": ["integrations", "escalation_policies", "teams", "auto_pause_notifications_parameters"]})
check(found["integrations"][0]["integration_key"] == integration["integration_key"], "include integrations")
check(found["escalation_policy"]["type"] == "escalation_policy" and found["teams"][0]["type"] == "team", "include policy and teams")
business = client.rpost("/business_services", json={"name": f"{run} business"})
edges = client.rpost("/service_dependencies/associate", json={"relationships": [{"supporting_service": ref(service, "service"), "dependent_service": ref(business, "business_service")}]})
check(edges[0]["dependent_service"]["id"] == business["id"], "dependency")
check(len(client.jget(f"/service_dependencies/business_services/{business['id']}")["relationships"]) == 1, "dependencies")

# Events
events = pagerduty.EventsApiV2Client(integration["integration_key"], base_url=base)
check(events.trigger("disk full", "srv01", dedup_key=f"{run}/1", severity="critical", custom_details={"a": {"b": [1]}},
                 links=[{"href": "https://example.org", "text": "t"}]) == f"{run}/1", "trigger")
check(events.trigger("disk full", "srv01", dedup_key=f"{run}/1") == f"{run}/1", "repeated")
check(len(events.trigger("no key", "srv02")) > 0, "trigger without a key")
events.send_change_event(payload={"summary": "deployed", "source": "ci", "custom_details": {"v": "1"}}, links=[{"href": "https://example.org", "text": "t"}])
mine = {"service_ids[]": [service["id"]], "date_range": "all", "sort_by": "created_at:asc"}
first, second = until(lambda: (lambda l: l if len(l) == 2 else None)(client.list_all("incidents", params=mine)), "two incidents")
check(first["title"] == "disk full" and first["status"] == "triggered" and first["urgency"] == "high", "an incident")
check([i["id"] for i in client.rget("/incidents", params={"incident_key": f"{run}/1"})] == [first["id"]], "by incident_key")
events.acknowledge(f"{run}/1")
until(lambda: client.rget(f"/incidents/{first['id']}")["status"] == "acknowledged", "acknowledged by an event")
check(len(until(lambda: client.rget(f"/services/{service['id']}/change_events"), "change event")) == 1, "one change event")
try:
    pagerduty.EventsApiV2Client("0" * 32, base_url=base).trigger("x", "y")
    sys.exit("unknown routing key accepted")
except pagerduty.HttpError as error:
    check(error.response.status_code == 400 and isinstance(error.response.json()["errors"], list), "unknown routing key")

# Incidents
opened = client.rpost("/incidents", json={"type": "incident", "title": f"{run} by hand", "service": ref(service), "incident_key": f"{run}/k",
                                      "body": {"type": "incident_body", "details": "words"}, "urgency": "low"})
check(opened["urgency"] == "low" and opened["assignments"], "opened by hand")
refused(400, 2001, lambda: client.rpost("/incidents", json={"type": "incident", "title": "again", "service": ref(service), "incident_key": f"{run}/k"}), "key in use")
both = client.rput("/incidents", json=[{"id": i["id"], "type": "incident_reference", "status": "acknowledged"} for i in (opened, second)])
check([i["status"] for i in both] == ["acknowledged"] * 2, "many at once")
path = f"/incidents/{opened['id']}"
check(client.rput(path, json={"type": "incident_reference", "title": f"{run} renamed"})["title"] == f"{run} renamed", "renamed")
check(client.rput(path, json={"type": "incident_reference", "priority": ref(client.rget('/priorities')[0], "priority_reference")})["priority"]["name"] == "P1", "priority")
check([a["assignee"]["id"] for a in client.rput(path, json={"type": "incident_reference", "assignments": [{"assignee": ref(ann)}]})["assignments"]] == [ann["id"]], "reassigned")
client.rput(path, json={"type": "incident_reference", "status": "acknowledged"})
check(client.post(f"{path}/snooze", json={"duration": 3600}).status_code == 201, "snoozed")
check("unacknowledge" in [a["type"] for a in client.rget(path)["pending_actions"]], "will wake up")
check(client.rput(path, json={"type": "incident_reference", "escalation_level": 2})["assignments"][0]["assignee"]["id"] == bob["id"], "escalated")
note = client.rpost(f"{path}/notes", json={"content": "a note"})
check(note["content"] == "a note" and [n["id"] for n in client.rget(f"{path}/notes")] == [note["id"]], "notes")
asked = client.jpost(f"{path}/responder_requests", json={"requester_id": owner["id"], "message": "help", "responder_request_targets":
    [{"responder_request_target": {"id": ann["id"], "type": "user_reference"}}]})["responder_request"]
check(asked["message"] == "help", "responder request")
check(client.jpost(f"{path}/status_updates", json={"message": "we are on it"})["status_update"]["message"] == "we are on it", "status update")
subscribers = client.jpost(f"{path}/status_updates/subscribers", json={"subscribers": [{"subscriber_id": bob["id"], "subscriber_type": "user"}]})
check(subscribers["subscriptions"][0]["result"] == "success", "subscribed")
alerts = client.list_all(f"/incidents/{first['id']}/alerts")
check(len(alerts) == 1 and alerts[0]["alert_key"] == f"{run}/1" and alerts[0]["body"]["type"] == "alert_body", "alerts")
merged = client.rput(f"/incidents/{first['id']}/merge", json=[ref(second)])
check(merged["id"] == first["id"] and merged["alert_counts"]["all"] == 2, "merged")
check(client.rget(f"/incidents/{second['id']}")["resolve_reason"]["incident"]["id"] == first["id"], "merged away")
kinds = {e["type"] for e in client.iter_all(f"{path}/log_entries", page_size=3)}
check(kinds >= {"trigger_log_entry", "assign_log_entry", "acknowledge_log_entry", "snooze_log_entry", "annotate_log_entry"}, f"log entries {kinds}")
history = list(client.iter_history("/log_entries", datetime.now(timezone.utc) - timedelta(minutes=30), datetime.now(timezone.utc) + timedelta(minutes=1)))
check(history, "iter_history")
events.resolve(f"{run}/1")
for i in (first, opened):
    check(client.rput(f"/incidents/{i['id']}", json={"type": "incident_reference", "status": "resolved"})["status"] == "resolved", "resolved")
refused(404, 2100, lambda: client.rget("/incidents/PNOTHERE"), "no such incident")

# Maintenance
window = client.rpost("/maintenance_windows", json={"type": "maintenance_window", "start_time": at(minutes=-5), "end_time": at(hours=1),
                                                "description": run, "services": [ref(service)]})
check(window["id"] in [w["id"] for w in client.iter_all("maintenance_windows", params={"filter": "ongoing"})], "ongoing")
check(client.rget(f"/services/{service['id']}")["status"] == "maintenance", "in maintenance")
client.rdelete(f"/maintenance_windows/{window['id']}")

# Audit, and what is refused
check(isinstance(list(client.iter_cursor("/audit/records", params={"since": at(minutes=-30)}, page_size=2)), list), "audit by cursor")
refused(404, 2100, lambda: client.rget("/webhook_subscriptions"), "webhooks are not there")

# All of it goes away again
client.jpost("/service_dependencies/disassociate", json={"relationships": [edges[0]]})
for path in (f"/business_services/{business['id']}", f"/services/{service['id']}/integrations/{integration['id']}", f"/services/{service['id']}",
             f"/escalation_policies/{policy['id']}", f"/schedules/{schedule['id']}", f"/teams/{team['id']}/users/{ann['id']}",
             f"/teams/{team['id']}/users/{bob['id']}", f"/teams/{team['id']}", f"/users/{ann['id']}", f"/users/{bob['id']}"):
    check(client.delete(path).status_code == 204, f"DELETE {path}")
refused(404, 2100, lambda: client.rget(f"/users/{ann['id']}"), "gone")
print(f"{done} checks of pagerduty {pagerduty.__version__} against {base}")
