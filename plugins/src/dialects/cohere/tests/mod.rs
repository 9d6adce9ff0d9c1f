//! Against recorded traffic and recorded LiteLLM.

mod chat;
mod hostile;
mod lists;
mod requests;
