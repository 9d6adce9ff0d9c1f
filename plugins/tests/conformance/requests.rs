pub fn cross(_: &crate::recordings::Recorded) -> Vec<crate::table::Outcome> { Vec::new() }
