//! The verdict as a fold over samples: what each kind of metric says, and what holds for any samples.

use chrono::DateTime;
use proptest::prelude::*;
use titan_ops::canary::{Analysis, Phase, Reading, Sample, Template};

fn template(metric: &str) -> Template {
    let text = format!(
        "{{interval: 10s, samples: 5, metrics: [{{name: m, direction: lower_is_better, source: {{prometheus: {{rate: {{name: x}}}}}}, {metric}}}]}}"
    );
    Template::parse(&text).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

fn number(number: f64) -> Reading {
    Reading::Number { number, events: Some(100) }
}

fn sample(baseline: Option<Reading>, canary: Option<Reading>) -> Sample {
    let of = |reading: Option<Reading>| reading.map(|reading| ("m".to_owned(), reading)).into_iter().collect();
    Sample { at: DateTime::UNIX_EPOCH, baseline: of(baseline), canary: of(canary) }
}

fn judged(template: &Template, samples: &[(Option<f64>, Option<f64>)]) -> Analysis {
    samples.iter().fold(Analysis::begin(template), |analysis, (baseline, canary)| {
        analysis.take(template, &sample(baseline.map(number), canary.map(number)))
    })
}

fn repeated(baseline: Option<f64>, canary: Option<f64>, times: usize) -> Vec<(Option<f64>, Option<f64>)> {
    vec![(baseline, canary); times]
}

#[test]
fn conditions_mean_what_argo_means_by_them() {
    for (metric, canary, phase) in [
        // With success alone, what is none is a failure.
        ("success: '<= 1'", 1.0, Phase::Success),
        ("success: '<= 1'", 1.1, Phase::Failure),
        // With failure alone, what is none is a success.
        ("failure: '> 1'", 1.0, Phase::Success),
        ("failure: '> 1'", 1.1, Phase::Failure),
        // Between both it is neither.
        ("success: '<= 1', failure: '> 2'", 1.5, Phase::Inconclusive),
        ("success: '<= 1', failure: '> 2'", 2.5, Phase::Failure),
        ("success: '<= 1', failure: '> 2', inconclusive: '< 0.5'", 0.4, Phase::Inconclusive),
    ] {
        let analysis = judged(&template(metric), &repeated(None, Some(canary), 5));
        assert_eq!(analysis.phase, phase, "{metric} of {canary}: {analysis:#?}");
    }
}

#[test]
fn limits_are_what_there_may_be() {
    let template = template("success: '<= 1', failure: '> 2', failure_limit: 1, inconclusive_limit: 1");
    for (canary, phase) in [
        ([0.0, 3.0, 0.0, 0.0, 0.0], Phase::Success),
        ([0.0, 3.0, 0.0, 3.0, 0.0], Phase::Failure),
        ([0.0, 1.5, 0.0, 0.0, 3.0], Phase::Success),
        ([1.5, 1.5, 0.0, 0.0, 0.0], Phase::Inconclusive),
        ([0.0, 0.0, 0.0, 3.0, 3.0], Phase::Failure),
    ] {
        let samples: Vec<_> = canary.into_iter().map(|canary| (None, Some(canary))).collect();
        let analysis = judged(&template, &samples);
        assert_eq!(analysis.phase, phase, "{canary:?}: {}", analysis.reason);
    }
}

#[test]
fn a_canary_that_is_slower_than_the_baseline_fails_and_says_by_how_much() {
    let template = template("failure: '> 10', compare: {tolerance: 0.25}");
    let varied = |factor: f64| {
        (0..5).map(|n| 1.0 + f64::from(n) / 50.0).map(|b| (Some(b), Some(b * factor))).collect::<Vec<_>>()
    };
    let slow = judged(&template, &varied(2.0));
    assert_eq!(slow.phase, Phase::Failure);
    insta::assert_snapshot!(slow.reason, @"m: worse than the baseline: canary 2.08 against baseline 1.04, tolerated 0.2600, p 0.0040 with 5 and 5 samples");
    let same = judged(&template, &varied(1.1));
    assert_eq!(same.phase, Phase::Success, "{}", same.reason);
    // Without a baseline the threshold alone decides, and says so.
    let alone = judged(&template, &repeated(None, Some(2.0), 5));
    assert_eq!(alone.phase, Phase::Success);
    assert!(alone.reason.contains("1 of 1") && alone.metrics[0].reason.contains("too few samples"), "{alone:#?}");
}

#[test]
fn a_comparison_alone_needs_both_sides() {
    let template = template("compare: {tolerance: 0.25}");
    assert_eq!(judged(&template, &repeated(Some(1.0), Some(1.0), 5)).phase, Phase::Success);
    assert_eq!(judged(&template, &repeated(None, Some(1.0), 5)).phase, Phase::Inconclusive);
    // Measured before, where both do not run side by side.
    let before = sample(Some(number(1.0)), None);
    let begun = (0..5).fold(Analysis::begin(&template), |analysis, _| analysis.with_baseline(&template, &before));
    let taken = (0..5).fold(begun, |analysis, _| analysis.take(&template, &sample(None, Some(number(3.0)))));
    assert_eq!(taken.phase, Phase::Failure, "{}", taken.reason);
}

#[test]
fn too_little_traffic_is_no_data_and_not_required_metrics_say_nothing_then() {
    let few = Reading::Number { number: 0.0, events: Some(3) };
    let run = |template: &Template| {
        (0..30).fold(Analysis::begin(template), |analysis, _| analysis.take(template, &sample(None, Some(few.clone()))))
    };
    let needed = run(&template("success: '<= 1', min_events: 10"));
    assert_eq!(needed.phase, Phase::Inconclusive);
    assert!(needed.reason.contains("3 events are fewer than the 10"), "{}", needed.reason);
    // Alone it leaves nothing to judge by.
    let optional = run(&template("success: '<= 1', min_events: 10, required: false"));
    assert_eq!((optional.phase, optional.reason.as_str()), (Phase::Inconclusive, "no metric has any data"));
}

/// Readings of any kind: nothing, gaps, and numbers that are none.
fn reading() -> impl Strategy<Value = Option<Reading>> {
    prop_oneof![
        1 => Just(None),
        1 => Just(Some(Reading::no_data("gone"))),
        1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY]).prop_map(|odd| Some(number(odd))),
        1 => (0.0..3.0_f64).prop_map(|few| Some(Reading::Number { number: few, events: Some(0) })),
        6 => (0.0..3.0_f64).prop_map(|any| Some(number(any))),
    ]
}

fn any_template() -> impl Strategy<Value = Template> {
    let conditions = prop::sample::select(vec![
        "success: '<= 1'",
        "failure: '> 2'",
        "success: '<= 1', failure: '> 2'",
        "success: '<= 1.2 x baseline', failure: ['> 1', '> 2 x baseline']",
        "compare: {tolerance: 0.1}",
        "failure: '> 2', compare: {margin: 0.5}",
    ]);
    (conditions, 0..3_u32, 0..3_u32, 0..5_u32, 1..9_u32, any::<bool>()).prop_map(|(conditions, failures, odd, gaps, samples, required)| {
        template(&format!("{conditions}, failure_limit: {failures}, inconclusive_limit: {odd}, consecutive_error_limit: {gaps}, samples: {samples}, required: {required}"))
    })
}

fn written_and_read(analysis: &Analysis) -> Analysis {
    serde_json::from_str(&serde_json::to_string(analysis).unwrap()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn it_does_not_matter_when_the_worker_was_killed(
        template in any_template(), readings in prop::collection::vec((reading(), reading(), any::<bool>()), 0..40),
    ) {
        let (mut through, mut killed) = (Analysis::begin(&template), Analysis::begin(&template));
        for (baseline, canary, restart) in readings {
            let sample = sample(baseline, canary);
            through = through.take(&template, &sample);
            killed = killed.take(&template, &sample);
            if restart {
                killed = written_and_read(&killed);
            }
        }
        prop_assert_eq!(through, killed);
    }

    #[test]
    fn what_has_ended_stays_as_it_ended(
        template in any_template(), readings in prop::collection::vec((reading(), reading()), 0..60),
    ) {
        let mut analysis = Analysis::begin(&template);
        let mut crossed = false;
        for (baseline, canary) in readings {
            let next = analysis.clone().take(&template, &sample(baseline, canary));
            if analysis.phase != Phase::Running {
                prop_assert_eq!(&next, &analysis);
            }
            crossed |= next.metrics[0].failed > template.metrics[0].failure_limit;
            prop_assert!(!crossed || next.phase == Phase::Failure);
            analysis = next;
        }
    }

    #[test]
    fn a_success_has_all_its_data_and_none_comes_of_nothing(
        template in any_template(), readings in prop::collection::vec((reading(), reading()), 0..60),
    ) {
        let taken = readings.iter().fold(Analysis::begin(&template), |analysis, (baseline, canary)| {
            analysis.take(&template, &sample(baseline.clone(), canary.clone()))
        });
        if taken.phase == Phase::Success {
            let wanted = template.samples_of(&template.metrics[0]);
            prop_assert!(taken.metrics[0].canary.len() >= usize::try_from(wanted).unwrap());
            prop_assert!(taken.metrics[0].canary.iter().all(|number| number.is_finite()));
        }
        // The same without any number of the canary: it ends, and never well.
        let empty = readings.iter().chain(std::iter::repeat_n(&(None, None), 60)).fold(Analysis::begin(&template), |analysis, (baseline, _)| {
            analysis.take(&template, &sample(baseline.clone(), None))
        });
        prop_assert_eq!(empty.phase, Phase::Inconclusive);
    }
}
