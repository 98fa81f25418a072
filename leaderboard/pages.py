"""The pages, under the headings that the board's menu has: the file under ``views/``, the title, the icon."""

PAGES = {
    "Choosing": (
        ("leaderboard", "Leaderboard", ":material/leaderboard:"),
        ("tradeoffs", "Trade-offs", ":material/scatter_plot:"),
        ("which", "Which one?", ":material/recommend:"),
    ),
    "Looking closer": (
        ("ranks", "Ranks and sizes", ":material/show_chart:"),
        ("memory", "Memory", ":material/memory:"),
        ("rates", "Learning rates", ":material/tune:"),
        ("forgetting", "Forgetting", ":material/history_toggle_off:"),
        ("run", "Run", ":material/description:"),
    ),
    "Judging": (
        ("compare", "Compare", ":material/compare_arrows:"),
        ("history", "History", ":material/timeline:"),
        ("failures", "Failures", ":material/error:"),
    ),
}
