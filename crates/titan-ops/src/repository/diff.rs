//! A difference as people read it: a unified diff, of everything or of one file, up to a limit.

use titan_core::git::Call;

use super::changes::PLAIN;
use super::read::{is_path, no_tree};
use super::{Mirror, Renames, Result};

/// Text to be shown. What is not UTF-8 in it stands as U+FFFD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// It ends where a line ends.
    pub text: String,
    /// Whether it would go on.
    pub truncated: bool,
}

impl Mirror {
    /// Everything that differs between two trees, in at most so many bytes.
    ///
    /// # Errors
    /// [`super::RepositoryError::NotFound`] when one of them is not there.
    pub fn diff(&self, from: &str, to: &str, limit: u64) -> Result<Rendered> {
        self.rendered(from, to, &[], limit)
    }

    /// The same of one file. One that was renamed is shown as such when its old path is named too.
    ///
    /// # Errors
    /// As above.
    pub fn diff_of_file(
        &self,
        from: &str,
        to: &str,
        path: &str,
        old_path: Option<&str>,
        limit: u64,
    ) -> Result<Rendered> {
        let paths: Vec<&str> = old_path.into_iter().chain([path]).collect();
        if !paths.iter().all(|path| is_path(path)) {
            // No file is called so, and to git an empty path would mean all.
            return Ok(Rendered { text: String::new(), truncated: false });
        }
        self.rendered(from, to, &paths, limit)
    }

    fn rendered(&self, from: &str, to: &str, paths: &[&str], limit: u64) -> Result<Rendered> {
        let (from, to) = (self.tree_of(from)?, self.tree_of(to)?);
        let shown = ["diff-tree", "-r", "--patch", "--unified=3", "--src-prefix=a/", "--dst-prefix=b/"];
        let arguments = [&shown[..], PLAIN, &[Renames::Found.argument(), &from, &to, "--"], paths].concat();
        let (mut text, truncated) = self.git.beginning(&Call::new(&arguments).plain().most(limit)).map_err(no_tree)?;
        if truncated {
            let line = text.iter().rposition(|byte| *byte == b'\n');
            text.truncate(line.map_or(0, |line| line + 1));
        }
        Ok(Rendered { text: String::from_utf8_lossy(&text).into_owned(), truncated })
    }
}
