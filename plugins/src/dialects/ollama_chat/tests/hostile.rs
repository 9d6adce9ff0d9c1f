use crate::dialects::UpstreamDialect;
use crate::dialects::fixtures::{assert_grammar, broken, events, recordings};
use crate::dialects::ollama_chat::{OllamaChat, OllamaGenerate, read_embeddings};

#[test]
fn broken_answers_are_errors_or_answers_and_never_panics() {
    for recorded in recordings("ollama", &["chat", "chat_stream", "generate", "generate_stream"]) {
        for body in broken(&recorded.body()) {
            for dialect in [&OllamaChat as &dyn UpstreamDialect, &OllamaGenerate] {
                let _ = dialect.read_answer(&body);
                let _ = dialect.read_error(500, &body);
                if let Ok(told) = events(dialect, &[&body]) {
                    assert_grammar(&told, &String::from_utf8_lossy(&body));
                }
            }
        }
    }
}

#[test]
fn broken_embeddings_are_errors_or_answers_and_never_panics() {
    for recorded in recordings("ollama", &["embeddings"]) {
        for body in broken(&recorded.body()) {
            let _ = read_embeddings(&body, "m", false);
            let _ = read_embeddings(&body, "m", true);
        }
    }
}

#[test]
fn lines_that_are_no_json_objects_are_malformed() {
    for body in ["nonsense\n", "[1]\n", "3\n", "{\"message\":3}\n", "{\"done\":\"yes\"}\n"] {
        assert!(events(&OllamaChat, &[body.as_bytes()]).is_err(), "{body}");
        assert!(OllamaChat.read_answer(body.as_bytes()).is_err(), "{body}");
    }
}
