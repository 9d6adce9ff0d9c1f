//! What a handler asks of a request: its fields and parameters, for the OpenAPI document. Nobody watches in service.

use super::Shape;
use std::cell::RefCell;

tokio::task_local! {
    static SEEN: RefCell<Vec<Asked>>;
}

/// One field or parameter that a handler looked for.
#[derive(Clone, Debug)]
pub struct Asked {
    pub place: Where,
    pub name: String,
    pub shape: Shape,
    pub required: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Where {
    Body,
    Query,
}

/// Runs `work` and tells what handlers in it asked for, in their order.
pub async fn watched<T>(work: impl Future<Output = T>) -> (T, Vec<Asked>) {
    SEEN.scope(RefCell::default(), async {
        let done = work.await;
        (done, SEEN.with(RefCell::take))
    })
    .await
}

/// The narrowest look at a name says what it is.
pub(super) fn note(place: Where, name: &str, shape: Shape) {
    let _unwatched = SEEN.try_with(|seen| {
        let mut seen = seen.borrow_mut();
        match seen.iter_mut().find(|asked| asked.place == place && asked.name == name) {
            Some(known) if matches!(known.shape, Shape::Any) => known.shape = shape,
            // A number is first looked at as text.
            Some(known) if place == Where::Query && !matches!(shape, Shape::Text) => known.shape = shape,
            Some(_) => {}
            None => seen.push(Asked { place, name: name.to_owned(), shape, required: false }),
        }
    });
}

pub(super) fn required(name: &str) {
    note(Where::Body, name, Shape::Any);
    let _unwatched = SEEN.try_with(|seen| {
        let mut seen = seen.borrow_mut();
        if let Some(asked) = seen.iter_mut().find(|asked| asked.place == Where::Body && asked.name == name) {
            asked.required = true;
        }
    });
}
