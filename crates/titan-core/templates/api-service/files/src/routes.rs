//! The addresses and what they answer.

use actix_web::web::{self, Json, Path, ServiceConfig};
use serde::Serialize;

use crate::error::Error;
use crate::project;

#[derive(Serialize)]
struct About {
    title: &'static str,
    description: &'static str,
    features: &'static [&'static str],
}

#[derive(Serialize)]
struct Feature {
    number: usize,
    text: &'static str,
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

pub fn configure(app: &mut ServiceConfig) {
    app.route("/", web::get().to(about))
        .route("/features/{number}", web::get().to(feature))
        .route("/health", web::get().to(health))
        .default_service(web::to(nothing));
}

async fn about() -> Json<About> {
    Json(About { title: project::TITLE, description: project::DESCRIPTION, features: project::FEATURES })
}

async fn feature(number: Path<String>) -> Result<Json<Feature>, Error> {
    let number: usize = number.parse().map_err(|_| Error::Invalid("The number of a feature must be a number."))?;
    let found = number.checked_sub(1).and_then(|index| project::FEATURES.get(index));
    let text = found.ok_or(Error::NotFound)?;
    Ok(Json(Feature { number, text }))
}

async fn health() -> Json<Health> {
    Json(Health { status: "ok" })
}

async fn nothing() -> Result<Json<Health>, Error> {
    Err(Error::NotFound)
}

#[cfg(test)]
mod tests {
    use actix_web::test::{TestRequest, call_service, init_service, read_body_json};
    use actix_web::{App, http::StatusCode};
    use serde_json::{Value, json};

    use super::*;

    async fn get(path: &str) -> (StatusCode, Value) {
        let app = init_service(App::new().configure(configure)).await;
        let response = call_service(&app, TestRequest::get().uri(path).to_request()).await;
        (response.status(), read_body_json(response).await)
    }

    #[actix_web::test]
    async fn it_says_what_it_is() {
        let (status, body) = get("/").await;
        assert_eq!((status, &body["title"]), (StatusCode::OK, &json!(project::TITLE)));
        assert_eq!(body["features"], json!(project::FEATURES));
    }

    #[actix_web::test]
    async fn features_are_counted_from_one() {
        for (index, text) in project::FEATURES.iter().enumerate() {
            let (status, body) = get(&format!("/features/{}", index + 1)).await;
            assert_eq!((status, body), (StatusCode::OK, json!({"number": index + 1, "text": text})));
        }
        assert_eq!(get("/features/0").await.0, StatusCode::NOT_FOUND);
        assert_eq!(get(&format!("/features/{}", usize::MAX)).await.0, StatusCode::NOT_FOUND);
    }

    #[actix_web::test]
    async fn it_is_healthy() {
        assert_eq!(get("/health").await, (StatusCode::OK, json!({"status": "ok"})));
    }

    #[actix_web::test]
    async fn what_is_wrong_is_said_in_one_form() {
        let (status, body) = get("/features/first").await;
        assert_eq!((status, &body["error"]), (StatusCode::BAD_REQUEST, &json!("invalid")));
        let (status, body) = get("/nothing").await;
        assert_eq!((status, &body["error"]), (StatusCode::NOT_FOUND, &json!("not_found")));
    }
}
