//! Values go in and come out unchanged, and mistakes are typed.

use jiff::Timestamp;
use serde_json::json;
use store::{Engine, Error, FromRow, Single, TextEnum, TextType, Value, both_engines, params, query, sql};

use crate::fresh;

#[derive(Debug, Clone, PartialEq, FromRow)]
struct Sample {
    flag: Option<bool>,
    number: Option<i64>,
    share: Option<f64>,
    word: Option<String>,
    raw: Option<Vec<u8>>,
    extra: Option<serde_json::Value>,
}

const EMPTY: Sample = Sample {
    flag: None,
    number: None,
    share: None,
    word: None,
    raw: None,
    extra: None,
};

async fn round_trip(engine: Engine, sample: Sample) -> Sample {
    let store = fresh(engine).await;
    store
        .write(move |tx| {
            let Sample {
                flag,
                number,
                share,
                word,
                raw,
                extra,
            } = &sample;
            tx.execute_one(
                sql!(
                    "INSERT INTO samples (extra, flag, number, share, word, raw)
                     VALUES ($6, $1, $2, $3, $4, $5)"
                ),
                params![flag, number, share, word, raw, extra],
            )?;
            tx.one(
                sql!("SELECT word, raw, number, share, flag, extra FROM samples"),
                &[],
            )
        })
        .await
        .unwrap_or_else(|error: Error| panic!("{error}"))
}

#[both_engines]
async fn every_kind_comes_back_as_it_was(engine: Engine) {
    let sample = Sample {
        flag: Some(true),
        number: Some(i64::MIN),
        share: Some(0.1 + 0.2),
        word: Some("π ' \" $1 ; --".to_owned()),
        raw: Some(vec![0, 255, 1]),
        extra: Some(json!({"list": [1, 2.5, null], "text": "\u{1F600}"})),
    };
    assert_eq!(round_trip(engine, sample.clone()).await, sample);
}

#[both_engines]
async fn null_of_every_kind_comes_back(engine: Engine) {
    assert_eq!(round_trip(engine, EMPTY).await, EMPTY);
}

#[both_engines]
async fn a_wrong_kind_is_refused(engine: Engine) {
    let store = fresh(engine).await;
    let wrong = store
        .write(|tx| tx.execute(sql!("INSERT INTO samples (number) VALUES ($1)"), params!["seven"]))
        .await;
    assert!(
        matches!(wrong, Err(Error::Statement { .. } | Error::Invalid { .. })),
        "{wrong:?}"
    );
    let missing: Result<u64, Error> = store
        .write(|tx| tx.execute(sql!("INSERT INTO samples (number) VALUES ($1)"), &[]))
        .await;
    assert!(matches!(missing, Err(Error::Statement { .. })), "{missing:?}");
}

#[both_engines]
async fn what_only_one_engine_could_keep_is_refused_by_both(engine: Engine) {
    let store = fresh(engine).await;
    for value in [
        Value::from("a\0b"),
        Value::Json(json!({"a": ["\0"]})),
        Value::Real(f64::NAN),
    ] {
        let result: Result<u64, Error> = store
            .write(move |tx| {
                let statement = match value {
                    Value::Text(_) => sql!("INSERT INTO samples (word) VALUES ($1)"),
                    Value::Json(_) => sql!("INSERT INTO samples (extra) VALUES ($1)"),
                    _ => sql!("INSERT INTO samples (share) VALUES ($1)"),
                };
                tx.execute(statement, std::slice::from_ref(&value))
            })
            .await;
        assert!(matches!(result, Err(Error::Invalid { .. })), "{result:?}");
    }
}

#[both_engines]
async fn a_value_that_does_not_fit_names_its_column(engine: Engine) {
    let store = fresh(engine).await;
    store
        .write(|tx| {
            tx.execute_one(sql!("INSERT INTO samples (number, word) VALUES (-1, NULL)"), &[])?;
            let decode = |result: Result<_, Error>, expected: &str| match result {
                Err(Error::Decode { column, .. }) => assert_eq!(column, expected),
                other => panic!("{other:?}"),
            };
            decode(
                tx.one::<(u32,)>(sql!("SELECT number FROM samples"), &[])
                    .map(drop),
                "number",
            );
            decode(
                tx.one::<(String,)>(sql!("SELECT word FROM samples"), &[])
                    .map(drop),
                "word",
            );
            decode(
                tx.one::<(String, i64)>(sql!("SELECT 'x' AS a"), &[]).map(drop),
                "1",
            );
            decode(
                tx.one::<Sample>(sql!("SELECT flag FROM samples"), &[]).map(drop),
                "number",
            );
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
}

#[both_engines]
async fn instants_keep_their_microseconds(engine: Engine) {
    let store = fresh(engine).await;
    let instant: Timestamp = "2026-02-03T04:05:06.789012Z".parse().unwrap();
    let (stored, nothing): (Timestamp, Option<Timestamp>) = store
        .write(move |tx| {
            let insert = sql!("INSERT INTO samples (number) VALUES ($1)");
            tx.execute_one(insert.clone(), params![instant])?;
            tx.execute_one(insert, params![None::<Timestamp>])?;
            let (stored,) = tx.one(sql!("SELECT number FROM samples WHERE number IS NOT NULL"), &[])?;
            let (nothing,) = tx.one(sql!("SELECT number FROM samples WHERE number IS NULL"), &[])?;
            Ok::<_, Error>((stored, nothing))
        })
        .await
        .unwrap();
    assert_eq!((stored, nothing), (instant, None));
}

#[derive(Debug, Clone, PartialEq)]
struct UserId(String);
store::text_type!(UserId);

#[derive(Debug, Clone, PartialEq, TextType)]
struct TeamId(String);

#[derive(Debug, Clone, PartialEq, TextType)]
#[text(parse)]
struct Even(u32);

impl std::str::FromStr for Even {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        text.parse()
            .ok()
            .filter(|number| number % 2 == 0)
            .map(Self)
            .ok_or(())
    }
}

impl std::fmt::Display for Even {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, TextEnum)]
enum Status {
    Triggered,
    OnHold,
    #[text("done")]
    Resolved,
}

#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Details {
    tags: Vec<String>,
}

#[derive(Debug, PartialEq, FromRow)]
struct Stamp {
    word: Status,
}

#[derive(Debug, PartialEq, FromRow)]
struct Rich {
    number: Timestamp,
    #[row(json)]
    extra: Details,
    #[row(column = "other")]
    renamed: Option<UserId>,
    #[row(flatten)]
    stamp: Stamp,
}

#[both_engines]
async fn rows_become_rich_types(engine: Engine) {
    let store = fresh(engine).await;
    let row: Rich = store
        .write(|tx| {
            let details = Value::json(&Details {
                tags: vec!["a".to_owned()],
            })?;
            tx.execute_one(
                sql!("INSERT INTO samples (number, extra, word) VALUES ($1, $2, $3)"),
                params![Timestamp::UNIX_EPOCH, details, Status::OnHold],
            )?;
            tx.one(
                sql!("SELECT extra, word, number, 'U1' AS other FROM samples"),
                &[],
            )
        })
        .await
        .unwrap_or_else(|error: Error| panic!("{error}"));
    assert_eq!(
        row,
        Rich {
            number: Timestamp::UNIX_EPOCH,
            extra: Details {
                tags: vec!["a".to_owned()]
            },
            renamed: Some(UserId("U1".to_owned())),
            stamp: Stamp { word: Status::OnHold },
        }
    );
}

#[both_engines]
async fn ids_and_enums_are_text(engine: Engine) {
    let store = fresh(engine).await;
    store
        .write(|tx| {
            let echo = || sql!("SELECT CAST($1 AS TEXT)");
            let user = UserId("U1".to_owned());
            assert_eq!(tx.one::<(UserId,)>(echo(), params![&user])?.0, user);
            let team = TeamId("T1".to_owned());
            assert_eq!(tx.one::<(TeamId,)>(echo(), params![Some(&team)])?.0, team);
            assert_eq!(
                tx.one::<(Option<TeamId>,)>(echo(), params![None::<TeamId>])?.0,
                None
            );
            assert_eq!(
                tx.one::<(Status,)>(echo(), params![Status::Resolved])?.0,
                Status::Resolved
            );
            assert_eq!(tx.one::<(String,)>(echo(), params![Status::OnHold])?.0, "on_hold");
            assert_eq!(tx.one::<(Even,)>(echo(), params![Even(4)])?.0, Even(4));
            assert!(matches!(
                tx.one::<(Even,)>(echo(), params!["5"]),
                Err(Error::Decode { .. })
            ));
            assert!(matches!(
                tx.one::<(Status,)>(echo(), params!["gone"]),
                Err(Error::Decode { .. })
            ));
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
    assert_eq!(Status::ALL.len(), 3);
    assert_eq!(Status::from_text("triggered"), Some(Status::Triggered));
    assert_eq!(Status::from_text("Triggered"), None);
}

#[both_engines]
async fn lists_and_optional_parts_find_the_same_rows(engine: Engine) {
    let store = fresh(engine).await;
    let found: Vec<Vec<Single<i64>>> = store
        .write(|tx| {
            for (number, word) in [(1, "One"), (2, "two"), (3, "three"), (4, "four")] {
                tx.execute_one(
                    sql!("INSERT INTO samples (number, word) VALUES ($1, $2)"),
                    params![number, word],
                )?;
            }
            let list = |words: Option<Vec<String>>, like: Option<&str>, sort| {
                query!(
                    "SELECT number FROM samples WHERE number <> ALL($without)
                     {AND word = ANY($words)} {AND word ILIKE $like}
                     ORDER BY {sort=rising: number} {sort=falling: number DESC} LIMIT $limit"
                )
                .bind("without", vec![3_i64])
                .bind("limit", 10)
                .bind_optional("words", words)
                .bind_optional("like", like)
                .choose("sort", sort)
            };
            let words = vec!["two".to_owned(), "three".to_owned(), "four".to_owned()];
            Ok::<_, Error>(vec![
                list(None, None, "rising").rows(tx)?,
                list(Some(words.clone()), None, "falling").rows(tx)?,
                list(Some(words), Some("TW%"), "rising").rows(tx)?,
                list(None, Some("o%"), "rising").rows(tx)?,
                list(Some(Vec::new()), None, "rising").rows(tx)?,
            ])
        })
        .await
        .unwrap();
    let numbers: Vec<Vec<i64>> = found
        .into_iter()
        .map(|rows| rows.into_iter().map(|row| row.0).collect())
        .collect();
    assert_eq!(numbers, [vec![1, 2, 4], vec![4, 2], vec![2], vec![1], vec![]]);
}
