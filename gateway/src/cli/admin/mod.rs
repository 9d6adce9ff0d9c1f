//! `weir keys`, `weir teams`, `weir users`, `weir spend`: the management API from a terminal, over HTTP.
//!
//! `resources.rs` is the table of what there is, `fields.rs` what may be set, `client.rs` how one asks, `table.rs` how
//! answers are printed, `spend.rs` the reports.

mod client;
mod fields;
mod resources;
mod spend;
mod table;

pub(super) use spend::{Spend, run as spend};

use super::put;
use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use client::{Client, Connection, Query, bounded};
use fields::Fields;
use http::Method;
use resources::{KEYS, Resource, Switch, TEAMS, USERS};
use serde_json::{Map, Value, json};
use table::{Format, Table, cell};
use weir_core::config::Env;

#[derive(Args)]
pub(super) struct Keys {
    #[command(flatten)]
    to: Connection,
    #[command(flatten)]
    format: Format,
    #[command(subcommand)]
    verb: KeyVerb,
}

// Teams, or users.
#[derive(Args)]
pub(super) struct Others {
    #[command(flatten)]
    to: Connection,
    #[command(flatten)]
    format: Format,
    #[command(subcommand)]
    verb: Verb,
}

#[expect(clippy::large_enum_variant, reason = "one is made for each run of the program")]
#[derive(Subcommand)]
enum KeyVerb {
    #[command(flatten)]
    All(Verb),
    /// Replaces a key's secret with a new one, and prints that.
    Rotate {
        id: String,
        /// How long the old secret is still accepted, such as 24h.
        #[arg(long)]
        grace_period: Option<String>,
    },
}

// What is named `-` is read from standard input; a key may be named by its text, its token or its alias.
#[derive(Subcommand)]
enum Verb {
    /// Lists them, newest first.
    List {
        /// Only those of this team.
        #[arg(long)]
        team: Option<String>,
        /// Only those of this user.
        #[arg(long)]
        user: Option<String>,
        /// At most this many.
        #[arg(long, default_value_t = 1_000)]
        limit: usize,
    },
    /// Shows one.
    Info {
        /// Its id, or `-` for standard input. A key may be given by its alias too.
        id: String,
    },
    /// Creates one. A new key is printed once, here, and never shown again.
    Create(Fields),
    /// Changes only what is given.
    Update {
        id: String,
        #[command(flatten)]
        fields: Fields,
    },
    /// Refuses its requests until it is unblocked.
    Block { id: String },
    /// Lifts a block.
    Unblock { id: String },
    /// Deletes them.
    Delete {
        #[arg(required = true)]
        ids: Vec<String>,
    },
}

/// Records to a page; the API gives no more.
const PAGE: usize = 100;

pub(super) fn keys(args: &Keys) -> anyhow::Result<()> {
    let asked = Asked::new(&KEYS, &args.to, &args.format)?;
    super::runtime()?.block_on(async {
        match &args.verb {
            KeyVerb::All(verb) => asked.verb(verb).await,
            KeyVerb::Rotate { id, grace_period } => asked.rotate(id, grace_period.as_deref()).await,
        }
    })
}

pub(super) fn teams(args: &Others) -> anyhow::Result<()> {
    let asked = Asked::new(&TEAMS, &args.to, &args.format)?;
    super::runtime()?.block_on(asked.verb(&args.verb))
}

pub(super) fn users(args: &Others) -> anyhow::Result<()> {
    let asked = Asked::new(&USERS, &args.to, &args.format)?;
    super::runtime()?.block_on(asked.verb(&args.verb))
}

/// What is asked about, whom, and how the answer is printed.
struct Asked<'a> {
    resource: &'static Resource,
    client: Client,
    format: &'a Format,
}

impl<'a> Asked<'a> {
    fn new(resource: &'static Resource, to: &Connection, format: &'a Format) -> anyhow::Result<Self> {
        Ok(Self { resource, client: Client::open(to, &Env::process())?, format })
    }

    async fn verb(&self, verb: &Verb) -> anyhow::Result<()> {
        let resource = self.resource;
        match verb {
            Verb::List { team, user, limit } => self.list(team.as_deref(), user.as_deref(), *limit).await,
            Verb::Info { id } => self.info(id).await,
            Verb::Create(fields) => self.send(resource.create, fields.body(resource)?).await,
            Verb::Update { id, fields } => {
                let mut body = fields.body(resource)?;
                body.insert(resource.id.to_owned(), self.id(id).await?.into());
                self.send(resource.update, body).await
            }
            Verb::Block { id } => self.block(id, true).await,
            Verb::Unblock { id } => self.block(id, false).await,
            Verb::Delete { ids } => self.delete(ids).await,
        }
    }

    // --- reading ---

    async fn list(&self, team: Option<&str>, user: Option<&str>, limit: usize) -> anyhow::Result<()> {
        let narrowed = [("team_id", team), ("user_id", user)];
        let mut query: Query = self.resource.list.query.iter().map(|(n, v)| (*n, (*v).to_owned())).collect();
        query.extend(narrowed.iter().filter_map(|(name, value)| Some((*name, (*value)?.to_owned()))));
        let mut records = self.records(&query, limit).await?;
        records.truncate(limit);
        if self.format.json {
            return put(&format!("{:#}\n", Value::Array(records)));
        }
        let columns = self.resource.columns;
        let row = |record: &Value| columns.iter().map(|column| cell(&(column.1)(record))).collect();
        self.print(&Table {
            head: columns.iter().map(|column| column.0).collect(),
            rows: records.iter().map(row).collect(),
        })
    }

    /// All pages up to the limit.
    async fn records(&self, query: &Query, limit: usize) -> anyhow::Result<Vec<Value>> {
        let list = &self.resource.list;
        let Some((member, size)) = list.pages else {
            let answer = parsed(&self.client.ask(Method::GET, list.path, query, None).await?)?;
            return Ok(answer.as_array().cloned().unwrap_or_default());
        };
        let mut records = Vec::new();
        for page in 1_i64.. {
            let mut query = query.clone();
            query.extend([("page", page.to_string()), (size, PAGE.min(limit.max(1)).to_string())]);
            let mut answer = parsed(&self.client.ask(Method::GET, list.path, &query, None).await?)?;
            let Some(Value::Array(found)) = answer.get_mut(member).map(Value::take) else { break };
            let last = found.is_empty() || answer["total_pages"].as_i64().is_none_or(|pages| page >= pages);
            records.extend(found);
            if last || records.len() >= limit {
                break;
            }
        }
        Ok(records)
    }

    async fn info(&self, id: &str) -> anyhow::Result<()> {
        let (path, name) = self.resource.info;
        let query = vec![(name, self.id(id).await?)];
        let answer = self.client.ask(Method::GET, path, &query, None).await?;
        self.one(&answer)
    }

    /// Standard input, or what was typed; a key's alias stands for the key.
    async fn id(&self, typed: &str) -> anyhow::Result<String> {
        let typed = match typed {
            "-" => bounded(&mut std::io::stdin().lock())?.trim().to_owned(),
            typed => typed.to_owned(),
        };
        let token = typed.len() == 64 && typed.bytes().all(|b| b.is_ascii_hexdigit());
        if self.resource.id != KEYS.id || token || typed.starts_with("sk-") {
            return Ok(typed);
        }
        let query = vec![(KEYS.alias, typed.clone())];
        let answer = parsed(&self.client.ask(Method::GET, KEYS.list.path, &query, None).await?)?;
        match answer["keys"].as_array().map(Vec::as_slice) {
            Some([Value::String(token)]) => Ok(token.clone()),
            Some([]) | None => bail!("no key has the alias {typed:?}"),
            Some(_) => bail!("several keys have the alias {typed:?}: name the token"),
        }
    }

    // --- changing ---

    async fn block(&self, id: &str, blocked: bool) -> anyhow::Result<()> {
        let mut body = Map::from_iter([(self.resource.id.to_owned(), Value::from(self.id(id).await?))]);
        let path = match self.resource.block {
            Switch::Paths(on, off) => {
                if blocked {
                    on
                } else {
                    off
                }
            }
            Switch::Member(name) => {
                body.insert(name.to_owned(), blocked.into());
                self.resource.update
            }
        };
        self.send(path, body).await
    }

    async fn rotate(&self, id: &str, grace: Option<&str>) -> anyhow::Result<()> {
        let mut body = Map::from_iter([(String::from("key"), Value::from(self.id(id).await?))]);
        body.extend(grace.map(|grace| (String::from("grace_period"), Value::from(grace))));
        self.send("/key/regenerate", body).await
    }

    async fn delete(&self, ids: &[String]) -> anyhow::Result<()> {
        let (path, member) = self.resource.delete;
        let mut named = Vec::with_capacity(ids.len());
        for id in ids {
            named.push(self.id(id).await?);
        }
        let answer =
            self.client.ask(Method::POST, path, &Query::new(), Some(&json!({(member): named}))).await?;
        match self.format.json {
            true => put(&format!("{answer}\n")),
            false => put(&format!("deleted: {} {}\n", named.len(), plural(self.resource.one, named.len()))),
        }
    }

    async fn send(&self, path: &str, body: Map<String, Value>) -> anyhow::Result<()> {
        let answer = self.client.ask(Method::POST, path, &Query::new(), Some(&Value::Object(body))).await?;
        self.one(&answer)
    }

    // --- printing ---

    /// One record: a line for each member that says something.
    fn one(&self, answer: &str) -> anyhow::Result<()> {
        let mut answer = parsed(answer)?;
        if self.format.json {
            return put(&format!("{answer:#}\n"));
        }
        // What is beside the record, such as lists of keys, is for --json.
        let record = match answer.get_mut(self.resource.inside).map(Value::take) {
            Some(inside @ Value::Object(_)) => inside,
            _ => answer,
        };
        let says = |value: &Value| match value {
            Value::Null => false,
            Value::Array(items) => !items.is_empty(),
            Value::Object(members) => !members.is_empty(),
            _ => true,
        };
        let members = record.as_object().into_iter().flatten().filter(|member| says(member.1));
        let rows = members.map(|(name, value)| vec![name.clone(), cell(value)]).collect();
        let table = Table { head: vec!["member", "value"], rows };
        if self.format.csv { put(&table.csv()) } else { put(&table.whole()) }
    }

    fn print(&self, table: &Table) -> anyhow::Result<()> {
        put(&if self.format.csv { table.csv() } else { table.text() })
    }
}

fn parsed(text: &str) -> anyhow::Result<Value> {
    serde_json::from_str(text).context("the answer is no JSON: is this the gateway's address?")
}

fn plural(word: &str, count: usize) -> String {
    if count == 1 { word.to_owned() } else { format!("{word}s") }
}
