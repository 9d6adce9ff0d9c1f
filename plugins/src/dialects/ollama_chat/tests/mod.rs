//! Against recorded servers (answers) and recorded LiteLLM (requests).

mod answers;
mod hostile;
mod requests;
