//! Providers, their models and what is set up, as a client sees them.

use chrono::Utc;
use serde_json::json;
use titan_core::providers::{self, Offered, Provider, Use};
use titan_testkit::app::TestApp;

fn provider(name: &str, model: &str, is_default: bool) -> Provider {
    Provider {
        name: name.to_owned(),
        kind: "openai".to_owned(),
        model: model.to_owned(),
        state: "ready".to_owned(),
        is_default,
        detail: String::new(),
        last_error: None,
        model_count: 0,
        checked_at: Utc::now(),
        last_30_days: Use::default(),
    }
}

fn offered(id: &str) -> Offered {
    Offered {
        id: id.to_owned(),
        context_tokens: Some(1000),
        max_output_tokens: None,
        input_price: Some(0.15),
        output_price: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn models_are_listed_by_name_searched_and_paged() {
    let app = TestApp::start().await;
    let published = [
        (provider("one", "chosen", true), vec![offered("big"), offered("Small")]),
        (provider("two", "big", false), vec![offered("big")]),
    ];
    providers::publish(&mut app.db.connect(), &published).unwrap();
    let names = async |query: &str| {
        let page = app.client.get(&format!("/api/models{query}")).await.expect(200);
        let items = page["items"].as_array().unwrap().clone();
        let names: Vec<_> = items.iter().map(|model| model["name"].as_str().unwrap().to_owned()).collect();
        (names, page["next_cursor"].as_str().map(str::to_owned))
    };
    // The default is there although its provider does not tell of it.
    let all = ["one:big", "one:chosen", "one:Small", "two:big"];
    let (mut listed, _) = names("").await;
    listed.sort_by_key(|name| name.to_lowercase());
    assert_eq!(listed, all);
    assert_eq!(names("?q=SMALL").await.0, ["one:Small"]);
    assert_eq!(names("?q=nothing").await, (Vec::new(), None));
    let (first, cursor) = names("?limit=3").await;
    let (second, end) = names(&format!("?limit=3&cursor={}", cursor.unwrap())).await;
    let mut paged = [first, second].concat();
    paged.sort_by_key(|name| name.to_lowercase());
    assert_eq!((paged.as_slice(), end), (&all.map(str::to_owned)[..], None));
    app.client.get("/api/models?limit=0").await.expect(400);

    let chosen = app.client.get("/api/models?q=chosen").await.expect(200);
    assert_eq!(
        chosen["items"],
        json!([{"name": "one:chosen", "provider": "one", "id": "chosen", "context_tokens": null,
            "max_output_tokens": null, "input_price": null, "output_price": null, "default": true}])
    );
    let providers = app.client.get("/api/providers").await.expect(200);
    let counts: Vec<_> = providers["items"].as_array().unwrap().iter().map(|one| one["model_count"].clone()).collect();
    assert_eq!(counts, [2, 1]);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_setup_names_the_variables_of_every_vendor_and_no_value() {
    let app = TestApp::start().await;
    let setup = app.client.get("/api/setup").await.expect(200);
    let items = setup["items"].as_array().unwrap();
    for variable in ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "OLLAMA_BASE_URL", "TITAN_DEFAULT_MODEL"]
    {
        let item = items.iter().find(|item| item["variable"] == variable).unwrap_or_else(|| panic!("no {variable}"));
        assert!(item["set"] == false && !item["needed_for"].as_str().unwrap().is_empty(), "{item}");
    }
    let main: Vec<_> = items.iter().filter(|item| item["main"] == true).collect();
    let providers: std::collections::BTreeSet<_> = items.iter().filter_map(|item| item["provider"].as_str()).collect();
    assert_eq!(main.len(), providers.len(), "one variable is enough for each provider");
    assert!(main.iter().any(|item| item["variable"] == "OLLAMA_BASE_URL"), "{main:?}");
    app.finish().await;
}
