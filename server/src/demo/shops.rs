//! Larkfield's shops: 240 in five countries, named after the streets they are in.

/// A country with its regions and the towns in each.
pub(super) struct Country {
    pub code: &'static str,
    pub currency: &'static str,
    pub time_zone: &'static str,
    pub regions: &'static [(&'static str, &'static [&'static str])],
    pub streets: &'static [&'static str],
    pub shops: usize,
}

/// The countries, in the order in which an update goes out.
pub(super) const COUNTRIES: [Country; 5] = [
    Country {
        code: "GB",
        currency: "GBP",
        time_zone: "Europe/London",
        regions: &[
            (
                "North of England",
                &[
                    "Leeds",
                    "Manchester",
                    "Sheffield",
                    "York",
                    "Newcastle",
                    "Liverpool",
                ],
            ),
            (
                "Midlands",
                &["Birmingham", "Nottingham", "Leicester", "Derby", "Coventry"],
            ),
            (
                "London and South",
                &[
                    "London",
                    "Brighton",
                    "Reading",
                    "Oxford",
                    "Southampton",
                    "Bristol",
                ],
            ),
            ("Scotland", &["Edinburgh", "Glasgow", "Aberdeen", "Dundee"]),
        ],
        streets: &[
            "Briggate",
            "Market Street",
            "High Street",
            "Station Road",
            "Castle Street",
            "King Street",
        ],
        shops: 96,
    },
    Country {
        code: "IE",
        currency: "EUR",
        time_zone: "Europe/Dublin",
        regions: &[
            ("Leinster", &["Dublin", "Kilkenny", "Drogheda"]),
            ("Munster", &["Cork", "Limerick", "Waterford"]),
        ],
        streets: &["High Street", "Main Street", "Bridge Street", "Patrick Street"],
        shops: 24,
    },
    Country {
        code: "DE",
        currency: "EUR",
        time_zone: "Europe/Berlin",
        regions: &[
            (
                "Nordrhein-Westfalen",
                &["Köln", "Düsseldorf", "Dortmund", "Essen", "Münster"],
            ),
            ("Bayern", &["München", "Nürnberg", "Augsburg", "Würzburg"]),
            ("Nord", &["Hamburg", "Bremen", "Hannover", "Kiel"]),
        ],
        streets: &[
            "Ehrenstraße",
            "Königsallee",
            "Bahnhofstraße",
            "Marktplatz",
            "Hauptstraße",
        ],
        shops: 60,
    },
    Country {
        code: "ES",
        currency: "EUR",
        time_zone: "Europe/Madrid",
        regions: &[
            ("Andalucía", &["Sevilla", "Málaga", "Granada"]),
            ("Levante", &["Valencia", "Alicante", "Murcia"]),
        ],
        streets: &["Sierpes", "Calle Mayor", "Gran Vía", "Plaza Nueva"],
        shops: 32,
    },
    Country {
        code: "FR",
        currency: "EUR",
        time_zone: "Europe/Paris",
        regions: &[
            ("Nord", &["Lille", "Amiens", "Arras"]),
            ("Rhône-Alpes", &["Lyon", "Grenoble", "Annecy"]),
        ],
        streets: &["Rue Nationale", "Grande Rue", "Place du Marché", "Rue de la Gare"],
        shops: 28,
    },
];

/// Terminals of one shop.
pub(super) const TERMINALS: usize = 6;

/// The names of a country's shops by region, none twice.
pub(super) fn names(country: &Country) -> Vec<(&'static str, String)> {
    let towns: Vec<(&str, &str)> = country
        .regions
        .iter()
        .flat_map(|(region, towns)| towns.iter().map(move |town| (*region, *town)))
        .collect();
    (0..country.shops)
        .map(|index| {
            let (region, town) = towns[index % towns.len()];
            let round = index / towns.len();
            let street = country.streets[(index % towns.len() + round) % country.streets.len()];
            let suffix = round / country.streets.len();
            let name = if suffix == 0 {
                format!("{town} {street}")
            } else {
                format!("{town} {street} {}", suffix + 1)
            };
            (region, name)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_240_shops_and_no_name_twice_in_a_country() {
        let mut all = 0;
        for country in &COUNTRIES {
            let mut shops: Vec<String> = names(country).into_iter().map(|(_, name)| name).collect();
            all += shops.len();
            shops.sort();
            let before = shops.len();
            shops.dedup();
            assert_eq!(shops.len(), before, "{}", country.code);
        }
        assert_eq!(all, 240);
    }
}
