//! Writes the seeds of a body as files, as libFuzzer wants them: `seeds condition corpus/condition`.

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(name), Some(folder)) = (arguments.next(), arguments.next()) else {
        return Err(std::io::Error::other(
            "usage: seeds condition|schedule|triage FOLDER",
        ));
    };
    let seeds = match name.as_str() {
        "condition" => fuzz::condition::SEEDS,
        "schedule" => fuzz::schedule::SEEDS,
        _ => fuzz::triage::SEEDS,
    };
    std::fs::create_dir_all(&folder)?;
    for (number, seed) in seeds.iter().enumerate() {
        std::fs::write(format!("{folder}/seed-{number}"), seed)?;
    }
    Ok(())
}
