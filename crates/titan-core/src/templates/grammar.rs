//! What of MiniJinja a file's template may use. It is a list of what is harmless, and everything else is refused before it is
//! compiled, since constants are folded even then: what is not here could make more memory than a machine has, in a few steps.
//!
//! A template's steps are counted when it is rendered, and what it writes is limited, but neither says how large the values are
//! that it makes on the way. With what is allowed here, a value that is larger than what it is made from comes from a filter
//! alone, and those are counted (`work`):
//! - a name, an attribute, an item, an assignment, a loop and a condition hand on values that are there;
//! - texts and lists that are written out are as long as the source, and a list may hold nothing else, so that no list can
//!   hold one that is there twice and grow with every line;
//! - comparisons, tests and sums of numbers make a number or a flag. `+` joins texts and lists, unless one side is a number;
//! - `~`, `*`, `**`, slices, and whatever keeps what it prints (`{% set x %}`, `{% filter %}`, macros, recursive loops) copy
//!   what is there, and are refused. So are calls: there is nothing to be called but these.

use minijinja::machinery::ast::{BinOpKind, CallArg, Expr, Stmt};
use minijinja::machinery::{Span, parse};
use minijinja::syntax::SyntaxConfig;

use super::place::one_of;

/// Tests that `is` may name.
pub(super) const TESTS: [&str; 2] = ["defined", "none"];
/// More is not told.
const MOST: usize = 100;

/// With its line.
pub(super) type Wrong = (Option<usize>, String);

/// Everything that cannot be used.
///
/// # Errors
/// What is no template at all.
pub(super) fn check(source: &str, syntax: SyntaxConfig, filters: &[&str]) -> Result<Vec<Wrong>, minijinja::Error> {
    let mut walk = Walk { filters, wrong: Vec::new() };
    walk.statement(&parse(source, "", syntax)?);
    Ok(walk.wrong)
}

struct Walk<'f> {
    filters: &'f [&'f str],
    wrong: Vec<Wrong>,
}

impl Walk<'_> {
    fn refuse(&mut self, at: Span, message: impl Into<String>) {
        if self.wrong.len() < MOST {
            self.wrong.push((Some(usize::from(at.start_line)), message.into()));
        }
    }

    fn statements(&mut self, list: &[Stmt<'_>]) {
        list.iter().for_each(|statement| self.statement(statement));
    }

    fn statement(&mut self, statement: &Stmt<'_>) {
        match statement {
            Stmt::Template(all) => self.statements(&all.children),
            Stmt::EmitRaw(_) => {}
            Stmt::EmitExpr(emit) => self.expression(&emit.expr),
            Stmt::IfCond(condition) => {
                self.expression(&condition.expr);
                self.statements(&condition.true_body);
                self.statements(&condition.false_body);
            }
            Stmt::ForLoop(each) => {
                if each.recursive {
                    self.refuse(each.span(), "a loop cannot be recursive");
                }
                self.expression(&each.iter);
                each.filter_expr.iter().for_each(|condition| self.expression(condition));
                self.target(&each.target);
                self.statements(&each.body);
                self.statements(&each.else_body);
            }
            Stmt::WithBlock(with) => {
                for (target, value) in &with.assignments {
                    self.target(target);
                    self.expression(value);
                }
                self.statements(&with.body);
            }
            Stmt::Set(set) => {
                self.target(&set.target);
                self.expression(&set.expr);
            }
            Stmt::Block(other) => self.alone("block", other.span()),
            Stmt::Extends(other) => self.alone("extends", other.span()),
            Stmt::FromImport(other) => self.alone("from", other.span()),
            Stmt::Import(other) => self.alone("import", other.span()),
            Stmt::Include(other) => self.alone("include", other.span()),
            Stmt::SetBlock(other) => self.keeps("set without a value", other.span()),
            Stmt::FilterBlock(other) => self.keeps("filter as a block", other.span()),
            Stmt::Macro(other) => self.keeps("macro", other.span()),
            Stmt::CallBlock(other) => self.keeps("call", other.span()),
            Stmt::AutoEscape(other) => {
                self.refuse(
                    other.span(),
                    "autoescape cannot be used; a filter such as plain says how a value is written",
                );
            }
            Stmt::Do(other) => self.refuse(other.span(), "do cannot be used: there is nothing to be called"),
        }
    }

    fn alone(&mut self, word: &str, at: Span) {
        self.refuse(at, format!("{word} cannot be used: a file's template is one by itself"));
    }

    fn keeps(&mut self, word: &str, at: Span) {
        self.refuse(at, format!("{word} cannot be used: what is printed goes into the file, and nowhere else"));
    }

    /// A name, or several that take a list apart.
    fn target(&mut self, target: &Expr<'_>) {
        match target {
            Expr::Var(_) => {}
            Expr::Tuple(names) => names.items.iter().for_each(|name| self.target(name)),
            Expr::List(names) => names.items.iter().for_each(|name| self.target(name)),
            other => self.refuse(other.span(), "must be a name, or names with commas between them"),
        }
    }

    fn expression(&mut self, expression: &Expr<'_>) {
        match expression {
            Expr::Var(_) | Expr::Const(_) => {}
            Expr::UnaryOp(one) => self.expression(&one.expr),
            Expr::BinOp(two) => {
                if let Some(operator) = grows(&two.op, &two.left, &two.right) {
                    let message = format!("{operator} cannot be used; print one part after the other");
                    self.refuse(two.span(), message);
                }
                self.expression(&two.left);
                self.expression(&two.right);
            }
            Expr::Compare(all) => {
                self.expression(&all.expr);
                all.ops.iter().for_each(|one| self.expression(&one.expr));
            }
            Expr::IfExpr(either) => {
                self.expression(&either.test_expr);
                self.expression(&either.true_expr);
                either.false_expr.iter().for_each(|other| self.expression(other));
            }
            Expr::Filter(filter) => {
                if !self.filters.contains(&filter.name) {
                    let message = format!("{} is not a filter; there are {}", filter.name, one_of(self.filters));
                    self.refuse(filter.span(), message);
                }
                filter.expr.iter().for_each(|value| self.expression(value));
                self.arguments(&filter.args, filter.span());
                if filter.name == "join" && !matches!(filter.args.as_slice(), [] | [CallArg::Pos(_)]) {
                    self.refuse(filter.span(), "join takes one thing, what stands between the parts: join(\", \")");
                }
            }
            Expr::Test(test) => {
                if !TESTS.contains(&test.name) {
                    let message = format!("{} is not a test; there are {}", test.name, one_of(&TESTS));
                    self.refuse(test.span(), message);
                }
                self.expression(&test.expr);
                self.arguments(&test.args, test.span());
            }
            Expr::GetAttr(part) => self.expression(&part.expr),
            Expr::GetItem(part) => {
                self.expression(&part.expr);
                self.expression(&part.subscript_expr);
            }
            Expr::Slice(slice) => self.refuse(slice.span(), "a part of a text or list cannot be cut out"),
            Expr::Call(call) => self.refuse(call.span(), "there is nothing that can be called"),
            Expr::List(list) => self.constants(&list.items),
            Expr::Tuple(list) => self.constants(&list.items),
            Expr::Map(map) => {
                self.constants(&map.keys);
                self.constants(&map.values);
            }
        }
    }

    fn arguments(&mut self, arguments: &[CallArg<'_>], at: Span) {
        for argument in arguments {
            match argument {
                CallArg::Pos(value) | CallArg::Kwarg(_, value) => self.expression(value),
                CallArg::PosSplat(_) | CallArg::KwargSplat(_) => {
                    self.refuse(at, "arguments must be given one by one, without *");
                }
            }
        }
    }

    fn constants(&mut self, items: &[Expr<'_>]) {
        for item in items {
            match item {
                Expr::Const(_) => {}
                Expr::List(_) | Expr::Tuple(_) | Expr::Map(_) => self.expression(item),
                other => {
                    self.refuse(other.span(), "a list can hold texts, numbers and lists that are written out only")
                }
            }
        }
    }
}

/// An operator that may make something larger than what it is given.
fn grows(operator: &BinOpKind, left: &Expr<'_>, right: &Expr<'_>) -> Option<&'static str> {
    let is_number = |side: &Expr<'_>| matches!(side, Expr::Const(value) if value.value.is_number());
    match operator {
        BinOpKind::Concat => Some("~"),
        BinOpKind::Mul => Some("*"),
        BinOpKind::Pow => Some("**"),
        BinOpKind::Add if !is_number(left) && !is_number(right) => Some("+"),
        BinOpKind::Add
        | BinOpKind::Sub
        | BinOpKind::Div
        | BinOpKind::FloorDiv
        | BinOpKind::Rem
        | BinOpKind::Eq
        | BinOpKind::Ne
        | BinOpKind::Lt
        | BinOpKind::Lte
        | BinOpKind::Gt
        | BinOpKind::Gte
        | BinOpKind::In
        | BinOpKind::ScAnd
        | BinOpKind::ScOr => None,
    }
}
