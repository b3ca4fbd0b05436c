# FILE.csv: job time, y, the cell's edges, usd; FILE-contour.csv: level,x,y, blank lines between
set logscale xy
set logscale cb
eval 'set xtics '.SECONDS
set ytics (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000)
set xlabel 'time of a job'
set ylabel 'slots a box'
eval 'set cbtics '.DOLLARS
set colorbox noborder
if (NARROW) unset colorbox
# viridis: equal steps of dollars look equal, in print and to the colour blind too.
set palette defined (0 '#440154', 1 '#472d7b', 2 '#3b528b', 3 '#2c728e', 4 '#21918c', 5 '#28ae80', 6 '#5ec962', 7 '#addc30', 8 '#fde725')
set key off
unset grid
set xrange [XLO:XHI]
set yrange [YLO:YHI]
if (HERE) set label 1 HERE_TEXT at HERE_X, HERE_Y point pt 7 ps 1.4 lc rgb '#D55E00' left offset (HERE_X > sqrt(XLO * XHI) ? -1 : 1), 0.9 boxed front textcolor rgb '#111111'
if (HERE && HERE_X > sqrt(XLO * XHI)) set label 1 right
plot FILE.'.csv' using 1:2:3:4:5:6:7 with boxxy fs solid noborder lc palette, \
     FILE.'-contour.csv' using 2:($1 == 1 ? NaN : $3) with lines lw 3.6 lc rgb '#000000', \
     '' using 2:($1 == 1 ? NaN : $3) with lines lw 1.7 lc rgb '#ffffff', \
     '' using 2:($1 == 1 ? $3 : NaN) with lines lw 8 lc rgb '#000000', \
     '' using 2:($1 == 1 ? $3 : NaN) with lines lw 4.5 lc rgb '#ffffff', \
     FILE.'-labels.csv' using 2:(NARROW && $1 != 1 && $1 != 10 && $1 != 100 ? NaN : $3):4 with labels boxed font SMALL textcolor rgb '#111111'
