"""The people on a list, from whichever table plans it: a contact plan, a turf, those to remind, those to cure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hustings.errors import SettingError, TableError
from hustings.exports.arms import drawn_tests, listed_arms
from hustings.exports.formats import Format
from hustings.warehouse import Lake, read

_PRIVATE = ("given_name", "family_name", "address", "postcode", "phone", "email")


def listed(lake: Lake, plan_id: str, form: Format, van_source: str) -> list[dict[str, Any]]:
    """The people of a plan, in order, without any plan's control group.

    Args:
        lake: The published lake.
        plan_id: A `[contact_plan.…]` or `[turfs.…]` section, a drawn test, or a list of `ballot_lists`.
        form: The format, which says whether everyone or the addressee alone is wanted.
        van_source: The source whose record ids are VAN's.

    Returns:
        One row for each person, with name, address, telephone, e-mail, and the `channels` it is for.

    Raises:
        TableError: Nothing has that name, or it sends nothing.
    """
    makers = {
        "contact_plan": _planned,
        "ballot_lists": _to_remind,
        "turf_doors": _doors,
        "sharing_plan": _to_ask,
        "ask_plan": _asked,
    }
    if form.name == "call_sheet":
        makers = {"call_sheets": _called}
    known = {table: _names(lake, table) for table in makers}
    table = next((table for table, names in known.items() if plan_id in names), None)
    if table is None and form.name == "call_sheet":
        raise TableError.unknown(
            "No such call sheet", plan_id, sorted(*known.values()), "hustings show call_sheets"
        )
    if table is not None:
        _check_format(table, form)
        found = _people(lake, makers[table](lake, plan_id, form))
    else:
        # A drawn test has a control group of its own; to take others out of its arms would spoil the draw.
        drawn = listed_arms(lake, plan_id)
        if drawn is None:
            names = sorted({*drawn_tests(lake)}.union(*known.values()))
            raise TableError.unknown("No such plan or drawn test", plan_id, names, "hustings show decisions")
        found = drawn
    if not found:
        then = {
            "ballot_lists": "hustings explain ballot_lists",
            "turf_doors": "hustings show turf_doors",
            "sharing_plan": "hustings show sharing_options, which says why",
        }
        raise TableError.of(
            f"The plan {plan_id} sends nothing",
            then=then.get(table or "", "hustings show decisions, which says why"),
        )
    if form.name == "van":
        found = _with_van_ids(lake, found, van_source)
    return _with_scores(lake, found) if form.scores else found


def _check_format(table: str, form: Format) -> None:
    """Friends are asked by whoever knows them, never by the campaign: their plan has one format, and it is theirs."""
    if (table == "sharing_plan") != (form.name == "friends"):
        raise SettingError.of(
            "A plan of friends is written for those who ask, and no other plan is",
            received=f"--format {form.name}",
            allowed="friends, of a [sharing_plan.…]",
        )


def _people(lake: Lake, rows: Any) -> list[dict[str, Any]]:
    """The rows of a list with names and ways to be reached, in order: no plan's control group, nor the campaign's."""
    for held in _held_out(lake, rows):
        rows = rows.anti_join(held, "household_id")
    private = read(lake, "people_private").select("person_id", *_PRIVATE)
    rows = rows.left_join(private, "person_id", rname="{name}_of")
    order = [
        name
        for name in ("turf_id", "door", "rank", "supporter_id", "household_id", "person_id")
        if name in rows.columns
    ]
    found: list[dict[str, Any]] = rows.order_by(order).to_pyarrow().to_pylist()
    return [row | {"channels": [row["channel"]]} for row in found]


def _held_out(lake: Lake, listed: Any) -> Iterator[Any]:
    """Households that no list may hold: controls of plans and the campaign's; of asks for money also those of asks."""
    for table in ("contact_plan", "holdout", *(["ask_plan"] if "ask_on" in listed.columns else [])):
        try:
            rows = read(lake, table)
        except TableError:  # a run from before there was one
            continue
        yield rows.filter(rows.held_out).select("household_id").distinct()


def _names(lake: Lake, table: str) -> list[str]:
    column = {"ballot_lists": "list", "turf_doors": "turf_set"}.get(table, "plan_id")
    try:
        rows = read(lake, table)
    except TableError:
        return []
    names = set(rows[column].as_table().distinct()[column].to_pyarrow().to_pylist())
    if table == "ballot_lists":
        return sorted({"chase", "cure"} | names)
    # A plan that sends nothing has no rows, and its decision says why.
    told = {"contact_plan": "decisions", "sharing_plan": "sharing_options"}.get(table)
    plans = read(lake, told).plan_id.to_pyarrow().to_pylist() if told else []
    return sorted(names | set(plans))


def _planned(lake: Lake, plan_id: str, form: Format) -> Any:
    plan = read(lake, "contact_plan")
    rows = plan.filter((plan.plan_id == plan_id) & ~plan.held_out)
    if not form.everyone:
        rows = rows.filter(rows.is_addressee)
    actions = read(lake, "actions").select("action", "channel")
    rows = rows.select("plan_id", "action", "household_id", "person_id").join(actions, "action")
    return rows.select("plan_id", "action", "channel", "household_id", "person_id")


def _to_remind(lake: Lake, plan_id: str, form: Format) -> Any:
    import ibis

    rows = read(lake, "ballot_lists").filter(lambda t: t.list == plan_id)
    return rows.select(
        "household_id",
        "person_id",
        "rank",
        plan_id=rows.list,
        action=rows.list,
        channel=ibis.literal(form.channels[0] if form.channels else "all"),
    )


def _doors(lake: Lake, plan_id: str, _: Format) -> Any:
    import ibis

    rows = read(lake, "turf_doors").filter(lambda t: (t.turf_set == plan_id) & t.turf_id.notnull())
    return rows.select(
        "household_id",
        "person_id",
        "turf_id",
        "door",
        plan_id=rows.turf_set,
        action=ibis.literal("door"),
        channel=ibis.literal("door"),
    )


def _to_ask(lake: Lake, plan_id: str, _: Format) -> Any:
    """The friends of a plan, each with who is to ask; a friend who is asked twice stands there twice."""
    import ibis

    plan = read(lake, "sharing_plan").filter(lambda t: (t.plan_id == plan_id) & ~t.held_out)
    private = read(lake, "people_private")
    askers = private.select(
        "phone", "email", supporter_id=private.person_id, supporter_name=private.given_name
    ).rename(supporter_phone="phone", supporter_email="email")
    rows = plan.left_join(askers, "supporter_id", rname="{name}_of")
    return rows.select(
        "plan_id",
        "action",
        "household_id",
        "supporter_id",
        "supporter_name",
        "supporter_phone",
        "supporter_email",
        person_id=rows.target_id,
        channel=ibis.literal("friend"),
    )


def _asked(lake: Lake, plan_id: str, form: Format) -> Any:
    rows = read(lake, "ask_plan").filter(lambda t: (t.plan_id == plan_id) & ~t.held_out)
    ways = sorted(set(form.channels) & {"email", "mail", "phone", "text"})
    if ways:
        rows = rows.filter(rows.channel.isin(ways))
    return rows.mutate(action=rows.string).drop("reason", "as_of")


def _called(lake: Lake, plan_id: str, _: Format) -> Any:
    import ibis

    rows = read(lake, "call_sheets").filter(lambda t: t.plan_id == plan_id)
    known = read(lake, "identities")
    # A record of the person, under which the result comes back.
    record = known.group_by("person_id").agg(record=(known.source + "\t" + known.record_id).min())
    rows = rows.join(record, "person_id", rname="{name}_r")
    return rows.mutate(
        action=ibis.literal("call"),
        channel=ibis.literal("phone"),
        ask_on=rows.call_on,
        source=rows.record.split("\t")[0],
        record_id=rows.record.split("\t")[1],
    )


def _with_van_ids(lake: Lake, rows: list[dict[str, Any]], van_source: str) -> list[dict[str, Any]]:
    identities = read(lake, "identities")
    sources = sorted(set(identities.source.as_table().distinct().source.to_pyarrow().to_pylist()))
    if van_source not in sources:
        raise TableError.unknown(
            "VAN's ids are those of a source's records; no such source",
            van_source,
            sources,
            "hustings export … --van-source NAME",
        )
    own = identities.filter(identities.source == van_source)
    own = own.group_by("person_id").agg(van_id=own.record_id.min())
    ids = {one["person_id"]: one["van_id"] for one in own.to_pyarrow().to_pylist()}
    return [row | {"van_id": ids.get(row["person_id"])} for row in rows]


def _with_scores(lake: Lake, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The newest score of each kind, beside each person."""
    scores = read(lake, "scores")
    newest = scores.group_by("person_id", "score").agg(value=scores.value.argmax(scores.as_of))
    of: dict[str, dict[str, float]] = {}
    for one in newest.to_pyarrow().to_pylist():
        of.setdefault(one["person_id"], {})[one["score"]] = one["value"]
    return [row | {"scores": of.get(row["person_id"], {})} for row in rows]
