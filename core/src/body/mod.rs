//! Looking into a JSON request without rewriting it. `JsonBody` knows where each top-level value stands; `Edits`
//! replaces, removes or adds such values and leaves every other byte alone. `Form` does the same for multipart forms.
//! `Node` is for a value that is read once, to be told in other words; `fit` is for a text that is told as it is, and
//! `write_object` writes what there is no text of yet.

mod depth;
mod edit;
mod fit;
mod form;
mod json;
mod marks;
mod node;
mod scan;
mod write;

pub use edit::{Edits, Pieces};
pub use fit::fit;
pub use form::{Form, FormError, MAX_PARTS};
pub use json::{BodyError, Field, JsonBody, MAX_DEPTH, MAX_FIELDS};
pub use node::{Members, Node};
pub use scan::glance;
pub use write::{ObjectWriter, write_object};
