"""An election: from voter files and tests to whom to write to."""

STAGES = (
    "hustings.sources.collect:collect",
    "hustings.people.people:unify_people",
    "hustings.people.events:attach_events",
    "hustings.people.outcomes:attach_outcomes",
    "hustings.experiments.assignments:attach_assignments",
    "hustings.features.features:build_features",
    "hustings.experiments.experiments:check_experiments",
    "hustings.experiments.lifts:measure_lifts",
    "hustings.experiments.effects:estimate_effects",
    "hustings.scores.scores:score_people",
    "hustings.plans.actions:declare_actions",
    "hustings.plans.contact_plan:plan_contacts",
    "hustings.forecast.forecast:forecast_race",
    "hustings.forecast.vote_values:value_votes",
    "hustings.forecast.scenarios:suppose",
    "hustings.forecast.checks:check_forecasts",
    "hustings.briefing.goals:measure_goals",
    "hustings.briefing.briefing:write_findings",
)
