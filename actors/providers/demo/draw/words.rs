//! The words that a prompt may hold, in English and Chinese, and what each asks to see.

use super::{
    colour::Light,
    scene::{Land, Subject, Time},
};

/// What one word asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Wish {
    Time(Time),
    Land(Land),
    Subject(Subject),
    Clouds,
    Mist,
    Snow,
    Snowfall,
    Aurora,
    /// A colour, `0xRRGGBB`.
    Tint(u32),
}

/// The wishes of a prompt in the order in which it names them.
pub struct Wishes(Vec<Wish>);

impl Wishes {
    /// Reads a prompt. Unknown words are passed over.
    pub fn of(prompt: &str) -> Self {
        /// A prompt may be megabytes long; its subject is at its start.
        const READ: usize = 2_000;
        let start: String = prompt.chars().take(READ).collect();
        let found = start
            .to_lowercase()
            .split(|c: char| !c.is_alphanumeric())
            .flat_map(|word| english(word).chain(chinese(word)))
            .collect();
        Self(found)
    }

    pub fn has(&self, wish: Wish) -> bool {
        self.0.contains(&wish)
    }

    pub fn time(&self) -> Option<Time> {
        self.first(|wish| match wish {
            Wish::Time(time) => Some(time),
            _ => None,
        })
    }

    pub fn land(&self) -> Option<Land> {
        self.first(|wish| match wish {
            Wish::Land(land) => Some(land),
            _ => None,
        })
    }

    pub fn subject(&self) -> Option<Subject> {
        self.first(|wish| match wish {
            Wish::Subject(subject) => Some(subject),
            _ => None,
        })
    }

    pub fn tint(&self) -> Option<Light> {
        self.first(|wish| match wish {
            Wish::Tint(rgb) => Some(Light::hex(rgb)),
            _ => None,
        })
    }

    fn first<T>(&self, pick: impl Fn(Wish) -> Option<T>) -> Option<T> {
        self.0.iter().copied().find_map(pick)
    }
}

/// The wish of a whole word, in the singular or with an `s`.
fn english(word: &str) -> impl Iterator<Item = Wish> {
    let singular = word.strip_suffix('s').unwrap_or(word);
    ENGLISH.iter().filter_map(move |(names, wish)| {
        let named = names
            .split(' ')
            .any(|name| name == word || name == singular);
        named.then_some(*wish)
    })
}

/// The wishes of a run of Chinese, which has no spaces between its words.
fn chinese(run: &str) -> impl Iterator<Item = Wish> {
    run.char_indices().flat_map(move |(at, _)| {
        CHINESE.iter().filter_map(move |(names, wish)| {
            let named = names.split(' ').any(|name| run[at..].starts_with(name));
            named.then_some(*wish)
        })
    })
}

const ENGLISH: [(&str, Wish); 26] = [
    (
        "night midnight moon moonlit moonlight star starry galaxy",
        Wish::Time(Time::Night),
    ),
    (
        "dusk sunset sundown sunrise dawn evening twilight golden",
        Wish::Time(Time::Dusk),
    ),
    (
        "day daylight noon morning sunny sun summer spring",
        Wish::Time(Time::Day),
    ),
    (
        "mountain alp peak cliff summit himalaya fuji",
        Wish::Land(Land::Mountains),
    ),
    (
        "hill meadow valley field grass countryside farm garden",
        Wish::Land(Land::Hills),
    ),
    (
        "sea ocean beach lake water wave coast island harbour harbor bay",
        Wish::Land(Land::Sea),
    ),
    (
        "forest tree wood pine jungle woodland taiga",
        Wish::Land(Land::Forest),
    ),
    (
        "city town skyline street building tower tokyo shanghai london cyberpunk",
        Wish::Land(Land::City),
    ),
    ("desert dune sand sahara", Wish::Land(Land::Desert)),
    (
        "boat ship sail sailboat sailing yacht",
        Wish::Subject(Subject::Boat),
    ),
    ("cat kitten kitty", Wish::Subject(Subject::Cat)),
    (
        "bird gull seagull goose geese crane eagle",
        Wish::Subject(Subject::Birds),
    ),
    (
        "house cabin cottage hut home village barn",
        Wish::Subject(Subject::House),
    ),
    ("balloon airship", Wish::Subject(Subject::Balloon)),
    ("cloud cloudy overcast storm", Wish::Clouds),
    ("mist misty fog foggy haze hazy dreamy", Wish::Mist),
    ("snow snowy winter ice icy frozen", Wish::Snow),
    (
        "snowing snowfall snowflake blizzard christmas",
        Wish::Snowfall,
    ),
    ("aurora borealis", Wish::Aurora),
    ("red crimson scarlet", Wish::Tint(0xd83a34)),
    ("orange amber", Wish::Tint(0xf08a2c)),
    ("gold yellow", Wish::Tint(0xe8b93a)),
    ("green emerald", Wish::Tint(0x3fa66a)),
    ("blue azure", Wish::Tint(0x3a72d8)),
    ("purple violet lavender", Wish::Tint(0x8a4fc8)),
    ("pink rose magenta", Wish::Tint(0xe86a9a)),
];

const CHINESE: [(&str, Wish); 24] = [
    ("夜 月 星", Wish::Time(Time::Night)),
    (
        "黄昏 夕 日落 日出 傍晚 黎明 晚霞 朝霞",
        Wish::Time(Time::Dusk),
    ),
    ("白天 早晨 晴 正午 夏 春", Wish::Time(Time::Day)),
    ("山 峰 岭", Wish::Land(Land::Mountains)),
    ("丘 草原 田 草地 花园", Wish::Land(Land::Hills)),
    ("海 湖 洋 水 岛 沙滩 江 河", Wish::Land(Land::Sea)),
    ("林 树 森", Wish::Land(Land::Forest)),
    ("城 市 楼 街 赛博", Wish::Land(Land::City)),
    ("沙漠 沙丘 大漠", Wish::Land(Land::Desert)),
    ("船 帆 舟", Wish::Subject(Subject::Boat)),
    ("猫", Wish::Subject(Subject::Cat)),
    ("鸟 雁 鸥 鹤 鹰", Wish::Subject(Subject::Birds)),
    ("房 屋 村", Wish::Subject(Subject::House)),
    ("气球", Wish::Subject(Subject::Balloon)),
    ("云 暴风", Wish::Clouds),
    ("雾 烟雨", Wish::Mist),
    ("雪 冬 冰", Wish::Snow),
    ("下雪 飘雪 大雪 风雪 雪花", Wish::Snowfall),
    ("极光", Wish::Aurora),
    ("红", Wish::Tint(0xd83a34)),
    ("金色 黄色", Wish::Tint(0xe8b93a)),
    ("绿", Wish::Tint(0x3fa66a)),
    ("蓝", Wish::Tint(0x3a72d8)),
    ("紫", Wish::Tint(0x8a4fc8)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_in_order_and_in_both_languages() {
        let wishes = Wishes::of("Mountains by the SEA, 红色 sunset; 远处有船");
        assert_eq!(wishes.land(), Some(Land::Mountains));
        assert!(wishes.has(Wish::Land(Land::Sea)));
        assert_eq!(wishes.time(), Some(Time::Dusk));
        assert_eq!(wishes.subject(), Some(Subject::Boat));
        assert_eq!(wishes.tint(), Some(Light::hex(0xd83a34)));
    }

    #[test]
    fn words_inside_other_words_do_not_count() {
        assert!(
            Wishes::of("research on seasons, scattered boating")
                .0
                .is_empty()
        );
        assert!(Wishes::of("").0.is_empty());
    }
}
