//! What Titan says on a pull request: one comment for each marker, changed in place.

use reqwest::Method;
use serde_json::json;

use super::GitHub;
use super::answers::Comment;
use crate::forge::ForgeError;
use crate::forge::texts::{is_marked, marked, same};

impl GitHub {
    pub(super) async fn say(&self, number: u64, marker: &str, body: &str) -> Result<(), ForgeError> {
        let text = marked(marker, body)?;
        let route = self.route(&format!("/issues/{number}/comments"));
        let comments = self.client.all(&route, &[], |page: Vec<Comment>| page).await?;
        for comment in comments {
            let said = comment.body.unwrap_or_default();
            if !is_marked(marker, &said)? {
                continue;
            }
            if !same(&said, &text) {
                let route = self.route(&format!("/issues/comments/{}", comment.id));
                self.client.send::<_, Comment>(Method::PATCH, &route, &json!({ "body": text })).await?;
            }
            return Ok(());
        }
        self.client.send::<_, Comment>(Method::POST, &route, &json!({ "body": text })).await?;
        Ok(())
    }
}
