//! What Titan says on a pull request: one comment for each marker, changed in place.

use reqwest::Method;
use serde_json::json;

use super::Forgejo;
use super::answers::Comment;
use crate::forge::ForgeError;
use crate::forge::texts::{is_marked, marked, same};

impl Forgejo {
    pub(super) async fn say(&self, number: u64, marker: &str, body: &str) -> Result<(), ForgeError> {
        let text = marked(marker, body)?;
        let rest = format!("/issues/{number}/comments");
        // All of them at once: this list of Forgejo's has no pages.
        let comments: Vec<Comment> = self.client.get(&rest, &[]).await?;
        for comment in comments {
            if !is_marked(marker, &comment.body)? {
                continue;
            }
            if !same(&comment.body, &text) {
                let rest = format!("/issues/comments/{}", comment.id);
                self.client.order(Method::PATCH, &rest, Some(&json!({ "body": text }))).await?;
            }
            return Ok(());
        }
        Ok(self.client.order(Method::POST, &rest, Some(&json!({ "body": text }))).await?)
    }
}
