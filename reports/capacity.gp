# capacity.csv: row,resource,ceiling_per_s,binds
set logscale x
set xlabel 'jobs a second that it allows (log)'
set yrange [-0.6:ROWS - 0.4]
set xrange [XLO:XHI]
set ytics () scale 0
set for [i=0:ROWS - 1] ytics add (word(NAMES, i + 1) i)
set key off
plot 'capacity.csv' using 3:1:(XLO):3:($1 - 0.3):($1 + 0.3) with boxxy fs solid 1 noborder lc rgb SKY, \
     '' using ($4 == 1 ? $3 : NaN):1:(XLO):3:($1 - 0.3):($1 + 0.3) with boxxy fs solid 1 noborder lc rgb RED, \
     '' using 3:1:(sprintf('  %.4g/s%s', $3, $4 == 1 ? ', binds' : '')) with labels left textcolor rgb INK
