# tornado.csv: row,input,low,high,low_usd,high_usd
set xlabel 'USD per million jobs'
set yrange [-0.6:ROWS - 0.4]
set ytics () scale 0
set for [i=0:ROWS - 1] ytics add (word(NAMES, i + 1) i)
set arrow 1 from BASE, graph 0 to BASE, graph 1 nohead lc rgb INK lw 1.5
set key at graph 1, graph 1.08 right horizontal
set tmargin 3
plot 'tornado.csv' using (BASE):1:(BASE < $5 ? BASE : $5):(BASE < $5 ? $5 : BASE):($1 - 0.3):($1 + 0.3) \
         with boxxy fs solid 1 noborder lc rgb SKY title '20 % less', \
     '' using (BASE):1:(BASE < $6 ? BASE : $6):(BASE < $6 ? $6 : BASE):($1 - 0.3):($1 + 0.3) \
         with boxxy fs solid 1 noborder lc rgb ORANGE title '20 % more'
